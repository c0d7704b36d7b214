/* SPDX-License-Identifier: MIT */
#include "call/reader.h"

#include <errno.h>
#include <string.h>

#include <quoit/call.h>

#include "call/call.h"

#define ASSEMBLY_BYTES ((size_t)1024)

void reader_init(struct reader *reader, size_t message_bytes_max)
{
        *reader = (struct reader){ .credits = QUOIT_CREDITS_UNLIMITED };
        framing_init(&reader->framing, message_bytes_max);
}

void reader_message_free(struct reader_message *message)
{
        struct arena arena = message->arena; /* the message lies in it */

        arena_deinit(&arena);
}

static void reader_unhold(struct quoit_call *call, size_t bytes)
{
        call->reader.held_bytes -= bytes;
        call->group->received_bytes -= bytes;
}

void reader_deinit(struct reader *reader, struct quoit_call *call)
{
        struct reader_message *message;

        while ((message = reader->first)) {
                reader->first = message->next;
                reader_message_free(message);
        }
        arena_deinit(&reader->assembly);
        reader_unhold(call, reader->held_bytes);
}

/* Where the message in progress is put together: NULL if memory is short. */
static upb_Arena *reader_arena(struct quoit_call *call)
{
        struct reader *reader = &call->reader;

        if (!call_takes_many(call))
                return call_arena(call);
        if (!reader->assembly.upb &&
                arena_init(&reader->assembly, call_pool(call), ASSEMBLY_BYTES) < 0)
                return NULL;
        return reader->assembly.upb;
}

static int reader_append(struct quoit_call *call, upb_Arena *arena, const struct framing_message *bytes)
{
        struct reader *reader = &call->reader;
        struct reader_message *message = upb_Arena_Malloc(arena, sizeof(*message));

        if (!message)
                return -ENOMEM;
        *message = (struct reader_message){ .bytes = *bytes };
        if (call_takes_many(call)) {
                message->arena = reader->assembly;
                reader->assembly = (struct arena){ 0 };
        }
        if (reader->first)
                reader->last->next = message;
        else
                reader->first = message;
        reader->last = message;
        reader->messages++;
        return bytes->compressed ? -ENOTSUP : 0;
}

static void reader_open_window(struct quoit_call *call)
{
        if (!call->reader.first && call->stream.unconsumed_bytes > 0)
                stream_consume(&call->stream, call->stream.unconsumed_bytes);
}

int reader_feed(struct quoit_call *call, const uint8_t *data, size_t size)
{
        struct reader *reader = &call->reader;
        int r;

        reader->held_bytes += size;
        call->group->received_bytes += size;
        if (call->group->received_bytes > call->group->host->limits->connection_receive_bytes_max)
                return -ENOBUFS;
        while (size > 0) {
                upb_Arena *arena = reader_arena(call);
                struct framing_message bytes;

                if (!arena)
                        return -ENOMEM;
                r = framing_feed(&reader->framing, arena, &data, &size, &bytes);
                if (r == 1)
                        r = reader_append(call, arena, &bytes);
                if (r < 0)
                        return r;
        }
        reader_open_window(call);
        return 0;
}

struct reader_message *reader_take(struct quoit_call *call)
{
        struct reader *reader = &call->reader;
        struct reader_message *message = reader->first;

        if (!message || reader->credits == 0)
                return NULL;
        reader->first = message->next;
        message->next = NULL;
        if (reader->credits != QUOIT_CREDITS_UNLIMITED)
                reader->credits--;
        if (call_takes_many(call))
                reader_unhold(call, message->bytes.size + FRAMING_PREFIX_BYTES);
        reader_open_window(call);
        return message;
}
