/* SPDX-License-Identifier: MIT */
#include "call/reader.h"

#include <errno.h>
#include <string.h>

#include <quoit/call.h>

#include "call/exchange.h"
#include "codec/arena.h"

#define BATCH_HEAD_BYTES ((size_t)256) /* for the arena's state, and the batch */
#define BATCH_BYTES_ENOUGH ((size_t)8192) /* a batch with more bytes takes no further run */
#define RUN_BYTES_MAX                                                                              \
        ((size_t)7800) /* so a batch with a run fits a block of 8 KiB, and ends soon */

struct reader_batch {
        struct arena arena; /* in which this struct lies */
        size_t bytes;
        size_t users; /* its runs, messages that were taken, and the reader while it can add more */
};

/* Its first block holds what the batch is made for: runs, and messages, of @bytes. */
static struct reader_batch *batch_new(struct arena_pool *pool, size_t bytes)
{
        struct reader_batch *batch;
        struct arena arena;

        if (arena_init(&arena, pool, BATCH_HEAD_BYTES + bytes) < 0)
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

void reader_message_free(const struct reader_message *message)
{
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
        return message->size + FRAMING_PREFIX_BYTES;
}

static size_t run_cost(const struct reader_run *run)
{
        return sizeof(*run) + message_cost(&run->message) + run->rest_bytes;
}

void reader_drop(struct exchange *exchange)
{
        struct reader *reader = &exchange->reader;
        struct reader_run *run;

        /* the only message of a call lies in the call's arena, and counts until that is freed */
        while (exchange->takes_many && (run = reader->first)) {
                reader->first = run->next;
                reader_unhold(exchange, run_cost(run));
                batch_unref(run->message.batch);
        }
        reader->batch = batch_unref(reader->batch);
}

void reader_deinit(struct exchange *exchange)
{
        reader_drop(exchange);
        reader_unhold(exchange, exchange->reader.held_bytes);
}

/* The arena for the message in progress, or for a run; NULL if memory is short. @bytes: what they take, if it is not large. */
static upb_Arena *reader_arena(struct exchange *exchange, size_t bytes)
{
        struct reader *reader = &exchange->reader;

        if (!exchange->takes_many)
                return exchange_arena(exchange);
        if (reader->batch && reader->batch->bytes > BATCH_BYTES_ENOUGH &&
                framing_idle(&reader->framing))
                reader->batch = batch_unref(reader->batch);
        if (!reader->batch)
                reader->batch = batch_new(exchange->group->host->arenas, bytes);
        return reader->batch ? reader->batch->arena.upb : NULL;
}

/* @run, in the reader's batch if it has one, has @count messages: @bytes with their prefixes, which count as held already. */
static void reader_append(
        struct exchange *exchange, struct reader_run *run, uint32_t count, size_t bytes)
{
        struct reader *reader = &exchange->reader;
        struct stream_counts *counts = &exchange->group->counts;

        run->message.batch = reader->batch;
        if (reader->batch) {
                reader->batch->users++;
                reader->batch->bytes += sizeof(*run) + bytes;
        }
        if (reader->first)
                reader->last->next = run;
        else
                reader->first = run;
        reader->last = run;
        reader->messages += count;
        reader->message_bytes += bytes - (size_t)count * FRAMING_PREFIX_BYTES;
        counter_add(&counts->messages_received, count);
        counter_set(&counts->last_received_ns, ring_now_ns(exchange->group->host->ring));
        reader_hold(exchange, sizeof(*run));
}

/* A message that did not come with others in one piece. */
static int reader_append_one(
        struct exchange *exchange, upb_Arena *arena, const struct framing_message *bytes)
{
        struct reader *reader = &exchange->reader;
        struct reader_run *run = upb_Arena_Malloc(arena, sizeof(*run));

        if (!run)
                return -ENOMEM;
        *run = (struct reader_run){ .message = {
                                            .data = bytes->data,
                                            .size = bytes->size,
                                            .compression = bytes->compressed ? reader->compression
                                                                             : QUOIT_IDENTITY,
                                    } };
        reader_append(exchange, run, 1, FRAMING_PREFIX_BYTES + bytes->size);
        return bytes->compressed && reader->compression == QUOIT_IDENTITY ? -ENOTSUP : 0;
}

/* The message at @prefix is the run's first now. */
static void run_begin_at(struct reader_run *run, const uint8_t *prefix)
{
        run->message.data = prefix + FRAMING_PREFIX_BYTES;
        run->message.size = framing_read_size(prefix);
        run->rest_bytes -= message_cost(&run->message);
}

/* Takes the whole messages that @data begins with. 1; 0: there are none, or they are for reader_feed_one(); -ENOMEM. */
static int reader_feed_run(struct exchange *exchange, const uint8_t **data, size_t *size)
{
        struct framing *framing = &exchange->reader.framing;
        size_t bytes = *size < RUN_BYTES_MAX ? *size : RUN_BYTES_MAX;
        struct reader_run *run;
        upb_Arena *arena;
        uint32_t count;

        if (!exchange->takes_many || !framing_idle(framing))
                return 0;
        bytes = framing_scan(framing, *data, bytes, &count);
        if (count == 0)
                return 0;
        arena = reader_arena(exchange, sizeof(*run) + bytes);
        run = arena ? upb_Arena_Malloc(arena, sizeof(*run) + bytes) : NULL;
        if (!run)
                return -ENOMEM;
        *run = (struct reader_run){ .message.compression = QUOIT_IDENTITY, .rest_bytes = bytes };
        memcpy(run->bytes, *data, bytes);
        run_begin_at(run, run->bytes);
        reader_hold(exchange, bytes);
        reader_append(exchange, run, count, bytes);
        *data += bytes;
        *size -= bytes;
        return 1;
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
        upb_Arena *arena = reader_arena(exchange, sizeof(struct reader_run));
        struct framing_message bytes;
        int r;

        if (!arena)
                return -ENOMEM;
        r = framing_feed(framing, arena, data, size, &bytes);
        if (r == 1) {
                reader_hold(exchange, FRAMING_PREFIX_BYTES + bytes.size - reserved);
                return reader_append_one(exchange, arena, &bytes);
        }
        reader_hold(exchange, framing_reserved(framing) - reserved);
        return r;
}

/* Whether the peer may go on: all that its calls hold is within the limits. Errors as reader_feed(). */
static int reader_check(struct exchange *exchange)
{
        size_t held_bytes = call_group_held_bytes(exchange->group);

        if (held_bytes > exchange->group->host->limits->connection_receive_bytes_max)
                return -ENOBUFS;
        if (!room_allows(&exchange->group->host->room, held_bytes))
                return -ENOSPC;
        reader_open_window(exchange);
        return 0;
}

int reader_feed(struct exchange *exchange, const uint8_t *data, size_t size)
{
        int r;

        exchange->group->moved_bytes += size;
        while (size > 0) {
                r = reader_feed_run(exchange, &data, &size);
                if (r == 0)
                        r = reader_feed_one(exchange, &data, &size);
                if (r < 0)
                        return r;
        }
        return reader_check(exchange);
}

int reader_feed_body(struct exchange *exchange, const uint8_t *data, size_t size, size_t expected)
{
        struct framing *framing = &exchange->reader.framing;
        size_t reserved = framing_reserved(framing);
        upb_Arena *arena = exchange_arena(exchange);
        int r = arena ? framing_collect(framing, arena, data, size, expected) : -ENOMEM;

        exchange->group->moved_bytes += size;
        reader_hold(exchange, framing_reserved(framing) - reserved);
        return r < 0 ? r : reader_check(exchange);
}

int reader_end_body(struct exchange *exchange)
{
        struct reader *reader = &exchange->reader;
        size_t reserved = framing_reserved(&reader->framing);
        upb_Arena *arena = exchange_arena(exchange);
        struct framing_message message;

        if (!arena)
                return -ENOMEM;
        framing_collected(&reader->framing, reader->compression != QUOIT_IDENTITY, &message);
        reader_hold(exchange, FRAMING_PREFIX_BYTES + message.size - reserved);
        return reader_append_one(exchange, arena, &message);
}

bool reader_take(struct exchange *exchange, struct reader_message *ret_message)
{
        struct reader *reader = &exchange->reader;
        struct reader_run *run = reader->first;

        if (!run)
                return false;
        if (exchange->takes_many) {
                if (exchange->lent.credits == 0)
                        return false;
                if (exchange->lent.credits != QUOIT_CREDITS_UNLIMITED)
                        exchange->lent.credits--;
                reader_unhold(exchange, message_cost(&run->message));
        }
        *ret_message = run->message;
        if (run->rest_bytes > 0) {
                run->message.batch->users++;
                run_begin_at(run, run->message.data + run->message.size);
                return true;
        }
        /* its place in the batch is the message's now */
        if (exchange->takes_many)
                reader_unhold(exchange, sizeof(*run));
        reader->first = run->next;
        reader_open_window(exchange);
        return true;
}
