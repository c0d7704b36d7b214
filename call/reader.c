/* SPDX-License-Identifier: MIT */
#include "call/reader.h"

#include <errno.h>

#include <quoit/call.h>

#include "call/exchange.h"
#include "codec/arena.h"

#define BATCH_FIRST_BYTES ((size_t)1024)
#define BATCH_BYTES_ENOUGH ((size_t)8192) /* a batch with more bytes takes no further message */

struct reader_batch {
        struct arena arena; /* in which this struct lies */
        size_t bytes;
        size_t users; /* its messages, and the reader while it can add more */
};

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

static void reader_hold(struct exchange *exchange, size_t bytes)
{
        exchange->reader.held_bytes += bytes;
        counter_add(&exchange->group->held_bytes, bytes);
}

static void reader_unhold(struct exchange *exchange, size_t bytes)
{
        exchange->reader.held_bytes -= bytes;
        counter_add(&exchange->group->held_bytes, -(uint64_t)bytes);
}

void reader_hold_parsed(struct exchange *exchange, size_t bytes)
{
        if (!exchange->takes_many)
                reader_hold(exchange, bytes);
}

void reader_hold_metadata(struct exchange *exchange, size_t bytes)
{
        struct reader *reader = &exchange->reader;
        size_t more = bytes - reader->metadata_bytes;

        if (bytes <= reader->metadata_bytes)
                return;
        reader->metadata_bytes = bytes;
        exchange->group->moved_bytes += more;
        reader_hold(exchange, more);
}

void reader_release(struct exchange *exchange)
{
        struct reader *reader = &exchange->reader;

        reader_unhold(exchange, exchange->takes_many ? reader->metadata_bytes : reader->held_bytes);
        reader->metadata_bytes = 0;
}

static size_t message_cost(const struct reader_message *message)
{
        return sizeof(*message) + message->size + FRAMING_PREFIX_BYTES;
}

void reader_drop(struct exchange *exchange)
{
        struct reader *reader = &exchange->reader;
        struct reader_message *message;

        /* the only message of a call lies in the call's arena, and counts until that is freed */
        while (exchange->takes_many && (message = reader->first)) {
                reader->first = message->next;
                reader_unhold(exchange, message_cost(message));
                reader_message_free(message);
        }
        reader->batch = batch_unref(reader->batch);
}

void reader_deinit(struct exchange *exchange)
{
        reader_drop(exchange);
        reader_unhold(exchange, exchange->reader.held_bytes);
}

/* The arena for the message in progress; NULL if memory is short. */
static upb_Arena *reader_arena(struct exchange *exchange)
{
        struct reader *reader = &exchange->reader;

        if (!exchange->takes_many)
                return exchange_arena(exchange);
        if (reader->batch && reader->batch->bytes > BATCH_BYTES_ENOUGH &&
                framing_idle(&reader->framing))
                reader->batch = batch_unref(reader->batch);
        if (!reader->batch)
                reader->batch = batch_new(exchange->group->host->arenas);
        return reader->batch ? reader->batch->arena.upb : NULL;
}

static int reader_append(
        struct exchange *exchange, upb_Arena *arena, const struct framing_message *bytes)
{
        struct reader *reader = &exchange->reader;
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
        counter_add(&exchange->group->counts.messages_received, 1);
        counter_set(&exchange->group->counts.last_received_ns,
                ring_now_ns(exchange->group->host->ring));
        exchange->reader.message_bytes += bytes->size;
        reader_hold(exchange, sizeof(*message));
        return bytes->compressed && reader->compression == QUOIT_IDENTITY ? -ENOTSUP : 0;
}

/* Also asks for a send: a peer that has used up its window waits for the WINDOW_UPDATE, and nothing else might be sent. */
static void reader_open_window(struct exchange *exchange)
{
        if (exchange->reader.first || exchange->stream.unconsumed_bytes == 0)
                return;
        stream_consume(&exchange->stream, exchange->stream.unconsumed_bytes);
        if (stream_is_remote_open(&exchange->stream))
                exchange_ask_to_send(exchange);
}

/* Reads to the end of a message, or of the data. */
static int reader_feed_one(struct exchange *exchange, const uint8_t **data, size_t *size)
{
        struct framing *framing = &exchange->reader.framing;
        size_t reserved = framing_reserved(framing);
        upb_Arena *arena = reader_arena(exchange);
        struct framing_message bytes;
        int r;

        if (!arena)
                return -ENOMEM;
        r = framing_feed(framing, arena, data, size, &bytes);
        if (r == 1) {
                reader_hold(exchange, FRAMING_PREFIX_BYTES + bytes.size - reserved);
                return reader_append(exchange, arena, &bytes);
        }
        reader_hold(exchange, framing_reserved(framing) - reserved);
        return r;
}

int reader_feed(struct exchange *exchange, const uint8_t *data, size_t size)
{
        size_t held_bytes;
        int r;

        exchange->group->moved_bytes += size;
        while (size > 0) {
                r = reader_feed_one(exchange, &data, &size);
                if (r < 0)
                        return r;
        }
        held_bytes = call_group_held_bytes(exchange->group);
        if (held_bytes > exchange->group->host->limits->connection_receive_bytes_max)
                return -ENOBUFS;
        if (!room_allows(&exchange->group->host->room, held_bytes))
                return -ENOSPC;
        reader_open_window(exchange);
        return 0;
}

struct reader_message *reader_take(struct exchange *exchange)
{
        struct reader *reader = &exchange->reader;
        struct reader_message *message = reader->first;

        if (!message)
                return NULL;
        if (exchange->takes_many) {
                if (exchange->lent.credits == 0)
                        return NULL;
                if (exchange->lent.credits != QUOIT_CREDITS_UNLIMITED)
                        exchange->lent.credits--;
                reader_unhold(exchange, message_cost(message));
        }
        reader->first = message->next;
        message->next = NULL;
        reader_open_window(exchange);
        return message;
}
