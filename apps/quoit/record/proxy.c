/* SPDX-License-Identifier: MIT */
#include "proxy.h"

#include <errno.h>
#include <string.h>

#include "../text_copy.h"
#include "entries.h"
#include "hop.h"

/* A call, and the one that it goes on as. It is the first one's memory: that one is held until the other one is over. */
struct proxied {
        struct proxy *proxy;
        quoit_call *call;
        quoit_outcall *out;
        quoit_method method;
        struct recorded recorded;
        int error; /* a part of it could not be sent on; 0: none */
};

/* It ends for both sides; the client hears of @error. */
static void give_up(struct proxied *proxied, int error)
{
        proxied->error = error;
        if (proxied->out)
                quoit_outcall_cancel(proxied->out);
}

/* ---- from the server to the client ---- */

/* By @add. A field that a server may not send, as HTTP's own, is left out. */
static int add_field(struct proxied *proxied, upb_StringView name, upb_StringView value,
        int (*add)(quoit_call *call, const char *name, upb_StringView value))
{
        const char *text = text_copy(name, quoit_call_arena(proxied->call));
        int r = text ? add(proxied->call, text, value) : -ENOMEM;

        return r == -EINVAL ? 0 : r;
}

static int add_headers(struct proxied *proxied, const quoit_outcall *out)
{
        upb_StringView name, value;
        int r = 0;

        for (size_t cursor = 0; r == 0 && quoit_outcall_header_next(out, &cursor, &name, &value);)
                r = add_field(proxied, name, value, quoit_call_add_header);
        return r;
}

static void on_headers(quoit_outcall *out, void *user)
{
        struct proxied *proxied = user;
        int r = add_headers(proxied, out);

        if (r < 0) {
                give_up(proxied, r);
                return;
        }
        entries_add_headers(&proxied->recorded, out);
        quoit_call_send_headers(proxied->call);
}

static void on_bytes(quoit_outcall *out, upb_StringView message, void *user)
{
        struct proxied *proxied = user;
        int r = quoit_call_send_bytes(proxied->call, message.data, message.size);

        if (r < 0) {
                give_up(proxied, r);
                return;
        }
        entries_add_reply(&proxied->recorded, message);
        if (!quoit_call_writable(proxied->call))
                quoit_outcall_set_read_credits(out, 0);
}

static void on_call_writable(quoit_call *call, void *state)
{
        struct proxied *proxied = state;

        (void)call;
        if (proxied->out)
                quoit_outcall_set_read_credits(proxied->out, QUOIT_CREDITS_UNLIMITED);
}

static int add_trailers(struct proxied *proxied, const quoit_outcall *out)
{
        upb_StringView name, value;
        int r = 0;

        for (size_t cursor = 0; r == 0 && quoit_outcall_trailer_next(out, &cursor, &name, &value);)
                r = add_field(proxied, name, value, quoit_call_add_trailer);
        return r;
}

static void on_outcall_done(quoit_outcall *out, quoit_status status, void *user)
{
        struct proxied *proxied = user;
        quoit_call *call = proxied->call;

        proxied->out = NULL;
        /* a deadline that is over has a status, and the other cancellations are the client's */
        if (!proxied->error && quoit_call_cancelled(call) && status == QUOIT_CANCELLED) {
                entries_add_cancel(&proxied->recorded);
                quoit_call_finish(call, status, NULL);
                return;
        }
        if (!proxied->error)
                proxied->error = add_trailers(proxied, out);
        if (proxied->error) {
                entries_add_end(&proxied->recorded, NULL, QUOIT_RESOURCE_EXHAUSTED);
                quoit_call_finishf(call, QUOIT_RESOURCE_EXHAUSTED,
                        "the proxy cannot send it on: %s", strerror(-proxied->error));
        } else {
                entries_add_end(&proxied->recorded, out, status);
                quoit_call_finish(call, status, quoit_outcall_status_message(out).data);
        }
}

/* ---- from the client to the server ---- */

static void on_message(quoit_call *call, upb_StringView message, void *state)
{
        struct proxied *proxied = state;
        int r;

        entries_add_request(&proxied->recorded, message);
        if (!proxied->out)
                return;
        r = quoit_outcall_send_bytes(proxied->out, message.data, message.size);
        if (r < 0) {
                give_up(proxied, r);
        } else if (!quoit_outcall_writable(proxied->out)) {
                quoit_call_set_read_credits(call, 0);
        }
}

static void on_outcall_writable(quoit_outcall *out, void *user)
{
        struct proxied *proxied = user;

        (void)out;
        quoit_call_set_read_credits(proxied->call, QUOIT_CREDITS_UNLIMITED);
}

static void on_half_close(quoit_call *call, void *state)
{
        struct proxied *proxied = state;

        (void)call;
        entries_add_half_close(&proxied->recorded);
        if (proxied->out)
                quoit_outcall_half_close(proxied->out);
}

/* ---- the call ---- */

/* The client's metadata but for what is said of its connection. -ENOMEM. */
static int copy_metadata(const quoit_call *call, upb_Arena *arena, quoit_call_options *options)
{
        upb_StringView name, value;
        quoit_metadata *list;
        size_t count = 0;

        for (size_t cursor = 0; quoit_call_metadata_next(call, &cursor, &name, &value);)
                count++;
        list = upb_Arena_Malloc(arena, (count + 1) * sizeof(*list));
        if (!list)
                return -ENOMEM;
        count = 0;
        for (size_t cursor = 0; quoit_call_metadata_next(call, &cursor, &name, &value);) {
                const char *text;

                if (hop_has(name))
                        continue;
                text = text_copy(name, arena);
                if (!text)
                        return -ENOMEM;
                list[count++] = (quoit_metadata){ text, value };
        }
        options->metadata = list;
        options->metadata_count = count;
        return 0;
}

static int start(struct proxied *proxied)
{
        static const quoit_outcall_handler handler = { .on_headers = on_headers,
                .on_bytes = on_bytes,
                .on_writable = on_outcall_writable,
                .on_done = on_outcall_done };
        quoit_call_options options = { .parent = proxied->call,
                .compression = proxied->proxy->compression };
        upb_Arena *arena = quoit_call_arena(proxied->call);
        int r = arena ? copy_metadata(proxied->call, arena, &options) : -ENOMEM;

        return r < 0 ? r
                     : quoit_outcall_start(proxied->proxy->channel, &proxied->method, &options,
                               &handler, proxied, &proxied->out);
}

static void *on_start(quoit_call *call, void *user)
{
        struct proxied *proxied = quoit_call_alloc(call, sizeof(*proxied));
        struct proxy *proxy = user;
        int r;

        if (!proxied) {
                quoit_call_finish(call, QUOIT_RESOURCE_EXHAUSTED, "the proxy is out of memory");
                return NULL;
        }
        proxy->running++;
        *proxied = (struct proxied){ .proxy = proxy,
                .call = call,
                .method = { .path = quoit_call_path(call), .kind = QUOIT_BIDI },
                .recorded = { .recording = proxy->recording,
                        .id = ++proxy->calls,
                        .keeps_secrets = proxy->keeps_secrets } };
        entries_add_call(&proxied->recorded, call);
        r = start(proxied);
        if (r < 0) {
                entries_add_end(&proxied->recorded, NULL, QUOIT_RESOURCE_EXHAUSTED);
                quoit_call_finishf(call, QUOIT_RESOURCE_EXHAUSTED,
                        "the proxy cannot make the call: %s", strerror(-r));
        } else {
                quoit_call_hold(call);
        }
        return proxied;
}

static void on_call_done(quoit_call *call, void *state)
{
        struct proxied *proxied = state;

        (void)call;
        if (proxied)
                proxied->proxy->running--;
}

int proxy_register(struct proxy *proxy, quoit_server *server)
{
        static const quoit_generic_handler handler = { .on_start = on_start,
                .on_message = on_message,
                .on_half_close = on_half_close,
                .on_writable = on_call_writable,
                .on_done = on_call_done };

        return quoit_server_register_generic(server, &handler, NULL, proxy);
}
