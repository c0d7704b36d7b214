/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../common/clock.h"
#include "call_talk.h"
#include "out.h"
#include "say.h"
#include "upb/message/copy.h"
#include "upb/wire/decode.h"
#include "upb/wire/encode.h"

#define CREDITS 64 /* messages that have arrived and were not printed yet */

/* A reply that waits to be printed: within a callback the server cannot be asked for the types of its Anys. */
struct received {
        struct received *next;
        upb_Arena *arena; /* holds it */
        upb_Message *message;
};

static upb_StringView copy(upb_Arena *arena, upb_StringView text)
{
        char *bytes = upb_Arena_Malloc(arena, text.size + 1);

        if (!bytes)
                return upb_StringView_FromDataAndSize(NULL, 0);
        memcpy(bytes, text.data, text.size);
        bytes[text.size] = '\0';
        return upb_StringView_FromDataAndSize(bytes, text.size);
}

/* The headers, or the trailers. */
static void copy_fields(struct talk *talk,
        bool (*next)(const quoit_outcall *call, size_t *cursor, upb_StringView *ret_name,
                upb_StringView *ret_value),
        const quoit_outcall *call, struct metadata *fields)
{
        upb_StringView name, value;
        size_t cursor = 0;

        while (next(call, &cursor, &name, &value)) {
                size_t size = sizeof(*fields->list);
                quoit_metadata *list = upb_Arena_Realloc(talk->arena, fields->list,
                        fields->count * size, (fields->count + 1) * size);

                if (!list)
                        return;
                fields->list = list;
                fields->list[fields->count++] =
                        (quoit_metadata){ copy(talk->arena, name).data, copy(talk->arena, value) };
        }
}

static void on_headers(quoit_outcall *call, void *user)
{
        struct talk *talk = user;

        talk->outcome.headers_ns = clock_now_ns();
        talk->has_headers = true;
        copy_fields(talk, quoit_outcall_header_next, call, &talk->outcome.headers);
}

/* With the extensions that the schema knows, and the client did not. */
static upb_Message *parse_again(
        const struct talk *talk, const upb_Message *message, upb_Arena *arena)
{
        const upb_MiniTable *table = talk->method->quoit.reply;
        upb_Message *again = upb_Message_New(table, arena);
        size_t size;
        char *bytes;

        if (!again || upb_Encode(message, table, 0, arena, &bytes, &size) != kUpb_EncodeStatus_Ok)
                return NULL;
        if (upb_Decode(bytes, size, again, table,
                    upb_DefPool_ExtensionRegistry(source_pool(talk->source)), 0,
                    arena) != kUpb_DecodeStatus_Ok)
                return NULL;
        return again;
}

void talk_take(struct talk *talk, upb_Message *message, upb_Arena *arena)
{
        struct received *received = arena ? upb_Arena_Malloc(arena, sizeof(*received)) : NULL;

        if (talk->outcome.received++ == 0)
                talk->outcome.first_ns = clock_now_ns();
        if (!received) {
                if (arena)
                        upb_Arena_Free(arena);
                talk->status = say_failed("out of memory");
                return;
        }
        *received = (struct received){ NULL, arena, message };
        *talk->last = received;
        talk->last = &received->next;
}

static void on_message(quoit_outcall *call, const upb_Message *message, void *user)
{
        struct talk *talk = user;
        upb_Arena *arena = upb_Arena_New();
        upb_Message *kept = NULL;

        (void)call;
        if (arena)
                kept = talk->method->has_extensions
                               ? parse_again(talk, message, arena)
                               : upb_Message_DeepClone(message, talk->method->quoit.reply, arena);
        talk_take(talk, kept, arena);
}

static void on_done(quoit_outcall *call, quoit_status status, void *user)
{
        struct talk *talk = user;

        talk->outcome.ended_ns = clock_now_ns();
        talk->outcome.status = status;
        talk->outcome.message = copy(talk->arena, quoit_outcall_status_message(call));
        copy_fields(talk, quoit_outcall_trailer_next, call, &talk->outcome.trailers);
        talk->call = NULL;
        talk->is_done = true;
}

const quoit_outcall_handler talk_handler = {
        .on_headers = on_headers,
        .on_message = on_message,
        .on_done = on_done,
};

void talk_receive(struct talk *talk)
{
        if (talk->call && talk_receives_many(talk))
                quoit_outcall_set_read_credits(talk->call, CREDITS);
}

/* ---- printing ---- */

/* Prints one that waits. */
static void show_first(struct talk *talk)
{
        struct received *received = talk->first;
        int status = EXIT_DONE;

        talk->first = received->next;
        if (!talk->first)
                talk->last = &talk->first;
        if (!received->message)
                status = say_failed("out of memory");
        else
                status = report_message(&talk->report, received->message, received->arena);
        if (talk->status == EXIT_DONE)
                talk->status = status;
        upb_Arena_Free(received->arena);
}

/* A reader who has gone ends the call, quietly. */
static void flush(struct talk *talk)
{
        int r = out_flush();

        if (r < 0 && r != -EPIPE)
                say("stdout: %s", strerror(-r));
        if (r < 0)
                talk_give_up(talk, r == -EPIPE ? EXIT_DONE : EXIT_FAILED);
        talk->has_lost_stdout |= r < 0;
}

void talk_show(struct talk *talk)
{
        bool has_some = talk->first;

        if (talk->has_headers && !talk->has_shown_headers) {
                talk->has_shown_headers = true;
                report_headers(&talk->report, &talk->outcome.headers);
        }
        while (talk->first)
                show_first(talk);
        if (!has_some)
                return;
        flush(talk);
        talk_receive(talk);
}
