/* SPDX-License-Identifier: MIT */
#include "call/reader.h"

#include <errno.h>

#include <quoit/call.h>

#include "call/call.h"
#include "codec/arena.h"

#define BATCH_FIRST_BYTES ((size_t)1024)
#define BATCH_BYTES_ENOUGH                                                                         \
        ((size_t)8192) /* with more in it the next message begins another batch */

struct reader_batch {
        struct arena arena; /* in which this struct lies */
        size_t bytes;
        size_t users; /* messages, and the reader as long as it may add some */
};

void reader_init(struct reader *reader, size_t message_bytes_max)
{
        *reader = (struct reader){ .credits = QUOIT_CREDITS_UNLIMITED };
        framing_init(&reader->framing, message_bytes_max);
}

static struct reader_batch *batch_new(struct arena_pool *pool)
{
        struct reader_batch *batch;
        struct arena arena;

        if (arena_init(&arena, pool, BATCH_FIRST_BYTES) < 0)
                return NULL;
        batch = upb_Arena_Malloc(arena.upb, sizeof(*batch));
        if (!batch) {
                arena_deinit(&arena);
                return NULL;
        }
        *batch = (struct reader_batch){ .arena = arena, .users = 1 };
        return batch;
}

static struct reader_batch *batch_unref(struct reader_batch *batch)
{
        struct arena arena;

        if (batch && --batch->users == 0) {
                arena = batch->arena;
                arena_deinit(&arena);
        }
        return NULL;
}

void reader_message_free(struct reader_message *message)
{
        if (message)
                batch_unref(message->batch);
}

static void reader_hold(struct quoit_call *call, size_t bytes)
{
        call->reader.held_bytes += bytes;
        counter_add(&call->group->held_bytes, bytes);
}

static void reader_unhold(struct quoit_call *call, size_t bytes)
{
        call->reader.held_bytes -= bytes;
        counter_add(&call->group->held_bytes, -(uint64_t)bytes);
}

void reader_hold_parsed(struct quoit_call *call, size_t bytes)
{
        if (!call_takes_many(call))
                reader_hold(call, bytes);
}

void reader_release(struct quoit_call *call)
{
        if (call->reader.held_bytes > 0 && !call_takes_many(call))
                reader_unhold(call, call->reader.held_bytes);
}

static size_t message_cost(const struct reader_message *message)
{
        return sizeof(*message) + message->size + FRAMING_PREFIX_BYTES;
}

void reader_drop(struct quoit_call *call)
{
        struct reader *reader = &call->reader;
        struct reader_message *message;

        /* the only message of a call lies in the call's arena, and counts as long as that */
        while (call->route && call_takes_many(call) && (message = reader->first)) {
                reader->first = message->next;
                reader_unhold(call, message_cost(message));
                reader_message_free(message);
        }
        reader->batch = batch_unref(reader->batch);
}

void reader_deinit(struct quoit_call *call)
{
        reader_drop(call);
        reader_unhold(call, call->reader.held_bytes);
}

/* Where the message in progress is put together: NULL if memory is short. */
static upb_Arena *reader_arena(struct quoit_call *call)
{
        struct reader *reader = &call->reader;

        if (!call_takes_many(call))
                return call_arena(call);
        if (reader->batch && reader->batch->bytes > BATCH_BYTES_ENOUGH &&
                framing_idle(&reader->framing))
                reader->batch = batch_unref(reader->batch);
        if (!reader->batch)
                reader->batch = batch_new(call->group->host->arenas);
        return reader->batch ? reader->batch->arena.upb : NULL;
}

static int reader_append(
        struct quoit_call *call, upb_Arena *arena, const struct framing_message *bytes)
{
        struct reader *reader = &call->reader;
        struct reader_message *message = upb_Arena_Malloc(arena, sizeof(*message));

        if (!message)
                return -ENOMEM;
        *message = (struct reader_message){
                .data = bytes->data,
                .size = bytes->size,
                .batch = reader->batch,
                .compression = bytes->compressed ? reader->compression : QUOIT_IDENTITY,
        };
        if (reader->batch) {
                reader->batch->users++;
                reader->batch->bytes += sizeof(*message) + bytes->size;
        }
        if (reader->first)
                reader->last->next = message;
        else
                reader->first = message;
        reader->last = message;
        reader->messages++;
        counter_add(&call->group->counts.messages_received, 1);
        counter_set(&call->group->counts.last_received_ns, ring_now_ns(call->group->host->ring));
        call->seen.bytes_received += bytes->size;
        reader_hold(call, sizeof(*message));
        return bytes->compressed && reader->compression == QUOIT_IDENTITY ? -ENOTSUP : 0;
}

/* The peer is to hear of it also where nothing else is said: it may have nothing left that it may send. */
static void reader_open_window(struct quoit_call *call)
{
        if (call->reader.first || call->stream.unconsumed_bytes == 0)
                return;
        stream_consume(&call->stream, call->stream.unconsumed_bytes);
        if (stream_is_remote_open(&call->stream))
                call->group->host->on_output(call);
}

/* Up to the end of a message, or of the data. */
static int reader_feed_one(struct quoit_call *call, const uint8_t **data, size_t *size)
{
        struct framing *framing = &call->reader.framing;
        size_t reserved = framing_reserved(framing);
        upb_Arena *arena = reader_arena(call);
        struct framing_message bytes;
        int r;

        if (!arena)
                return -ENOMEM;
        r = framing_feed(framing, arena, data, size, &bytes);
        if (r == 1) {
                reader_hold(call, FRAMING_PREFIX_BYTES + bytes.size - reserved);
                return reader_append(call, arena, &bytes);
        }
        reader_hold(call, framing_reserved(framing) - reserved);
        return r;
}

int reader_feed(struct quoit_call *call, const uint8_t *data, size_t size)
{
        size_t held_bytes;
        int r;

        call->group->moved_bytes += size;
        while (size > 0) {
                r = reader_feed_one(call, &data, &size);
                if (r < 0)
                        return r;
        }
        held_bytes = call_group_held_bytes(call->group);
        if (held_bytes > call_limits(call)->connection_receive_bytes_max)
                return -ENOBUFS;
        if (!room_allows(&call->group->host->room, held_bytes))
                return -ENOSPC;
        reader_open_window(call);
        return 0;
}

struct reader_message *reader_take(struct quoit_call *call)
{
        struct reader *reader = &call->reader;
        struct reader_message *message = reader->first;

        if (!message)
                return NULL;
        if (call_takes_many(call)) {
                if (reader->credits == 0)
                        return NULL;
                if (reader->credits != QUOIT_CREDITS_UNLIMITED)
                        reader->credits--;
                reader_unhold(call, message_cost(message));
        }
        reader->first = message->next;
        message->next = NULL;
        reader_open_window(call);
        return message;
}
