/* SPDX-License-Identifier: MIT */
#include "home.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "api.quoit.h"
#include "files.h"
#include "page.h"
#include "question.h"
#include "text.h"

struct answer {
        const char *kind; /* "error", or "" */
        struct text note; /* text */
        struct text body; /* HTML */
};

struct home {
        quoit_call *call;
        struct question question;
        unsigned waits_for; /* calls */
        unsigned item_count; /* that the stream has brought */
        struct answer hello, all, stream;
};

static void send_home(struct home *home)
{
        const struct slot slots[] = {
                SLOT("name", home->question.name),
                SLOT("length", upb_StringView_FromString(home->question.length_text)),
                SLOT("origin", upb_StringView_FromString(home->question.page_origin)),
                SLOT("hello-kind", upb_StringView_FromString(home->hello.kind)),
                SLOT("hello-note", text_view(&home->hello.note)),
                SLOT_HTML("hello", text_view(&home->hello.body)),
                SLOT("all-kind", upb_StringView_FromString(home->all.kind)),
                SLOT("all-note", text_view(&home->all.note)),
                SLOT_HTML("all", text_view(&home->all.body)),
                SLOT("stream-kind", upb_StringView_FromString(home->stream.kind)),
                SLOT("stream-note", text_view(&home->stream.note)),
                SLOT_HTML("stream", text_view(&home->stream.body)),
                { 0 },
        };
        page_send(home->call, template_home, slots, NULL);
}

static bool is_whole(const struct answer *answer)
{
        return !answer->note.failed && !answer->body.failed;
}

static void finish(struct home *home)
{
        if (is_whole(&home->hello) && is_whole(&home->all) && is_whole(&home->stream))
                send_home(home);
        else
                quoit_call_finish(home->call, QUOIT_RESOURCE_EXHAUSTED, "out of memory");
}

static void answer_end(struct home *home)
{
        if (--home->waits_for == 0)
                finish(home);
}

static void answer_fail(struct answer *answer, const char *why)
{
        answer->kind = "error";
        text_add_string(&answer->note, why);
}

static void answer_fail_as(struct answer *answer, const quoit_outcall *outcall)
{
        quoit_error error;

        quoit_outcall_get_error(outcall, &error);
        answer_fail(answer, quoit_error_text(&error));
}

static void add_item(struct answer *answer, const api_Item *item)
{
        text_addf(&answer->body, "<li value=\"%" PRId32 "\">", api_Item_id(item));
        text_add_escaped(&answer->body, api_Item_name(item));
        text_add_string(&answer->body, "</li>");
}

static void on_hello(
        quoit_outcall *outcall, quoit_status status, const api_Hello *reply, void *user)
{
        struct home *home = user;

        (void)status;
        if (reply)
                text_add_escaped(&home->hello.body, api_Hello_message(reply));
        else
                answer_fail_as(&home->hello, outcall);
        answer_end(home);
}

static void on_all(quoit_outcall *outcall, quoit_status status, const api_Items *reply, void *user)
{
        struct home *home = user;
        size_t count = 0;
        const api_Item *const *items = reply ? api_Items_items(reply, &count) : NULL;

        (void)status;
        for (size_t i = 0; i < count; i++)
                add_item(&home->all, items[i]);
        if (reply)
                text_addf(&home->all.note, "%zu items in one answer", count);
        else
                answer_fail_as(&home->all, outcall);
        answer_end(home);
}

static void on_item(quoit_outcall *outcall, const api_Item *item, void *user)
{
        struct home *home = user;

        (void)outcall;
        home->item_count++;
        add_item(&home->stream, item);
}

static void on_stream_done(quoit_outcall *outcall, quoit_status status, void *user)
{
        struct home *home = user;

        if (status == QUOIT_OK)
                text_addf(&home->stream.note, "%u items, one by one", home->item_count);
        else
                answer_fail_as(&home->stream, outcall);
        answer_end(home);
}

static const api_Api_getStream_receiver receiver = {
        .on_message = on_item,
        .on_done = on_stream_done,
};

/* @r: of a start. Without a call there is no on_done. */
static void answer_begun(struct home *home, struct answer *answer, int r)
{
        if (r == 0)
                return;
        answer_fail(answer, r == -EILSEQ ? "the name is not text in UTF-8" : strerror(-r));
        home->waits_for--;
}

static void begin_calls(struct home *home, quoit_channel *channel)
{
        const quoit_call_options options = { .parent = home->call, .timeout_ms = HOME_TIMEOUT_MS };
        upb_Arena *arena = quoit_call_arena(home->call);
        api_HelloRequest *hello = api_HelloRequest_new(arena);
        api_ApiRequest *items = api_ApiRequest_new(arena);
        int32_t length = home->question.length;

        if (hello)
                api_HelloRequest_set_name(hello, home->question.name);
        if (items)
                api_ApiRequest_set_length(
                        items, length < HOME_LENGTH_MAX ? length : HOME_LENGTH_MAX);
        answer_begun(home, &home->hello,
                api_Api_sayHello_start(channel, hello, &options, on_hello, home, NULL));
        answer_begun(home, &home->all,
                api_Api_getAll_start(channel, items, &options, on_all, home, NULL));
        answer_begun(home, &home->stream,
                api_Api_getStream_start(channel, items, &options, &receiver, home, NULL));
}

static void answer_init(struct answer *answer, upb_Arena *arena)
{
        answer->kind = "";
        text_init(&answer->note, arena);
        text_init(&answer->body, arena);
}

void home_serve(quoit_call *call, void *user)
{
        struct home *home = quoit_call_alloc(call, sizeof(*home));
        const struct site *site = user;
        upb_Arena *arena = quoit_call_arena(call);

        if (!home) {
                quoit_call_finish(call, QUOIT_RESOURCE_EXHAUSTED, "out of memory");
                return;
        }
        *home = (struct home){ .call = call, .waits_for = 3 };
        question_read(&home->question, call, site);
        answer_init(&home->hello, arena);
        answer_init(&home->all, arena);
        answer_init(&home->stream, arena);
        begin_calls(home, site->backend->channel);
        if (home->waits_for == 0)
                finish(home);
        else
                quoit_call_hold(call);
}
