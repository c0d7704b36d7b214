/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What a call consists of at either end: a stream, the messages received and sent on it, their memory, compression, a deadline.
 * A server's call embeds it (call.h). It does not know methods, handlers or headers.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <quoit/compression.h>

#include "call/group.h"
#include "call/reader.h"
#include "call/writer.h"
#include "codec/arena.h"
#include "codec/compression.h"
#include "codec/large_blocks.h"
#include "core/timer.h"
#include "transport/stream.h"

/*
 * The part of an exchange that belongs to the thread that runs the user's code: the ring's, or a worker's. While a worker has it
 * the ring does not touch it.
 */
struct exchange_lent {
        struct arena arena; /* lives as long as the call */
        struct large_blocks large; /* of that arena, unless a worker may allocate from it */
        struct arena message_arena; /* of the message that the user has, where many are received */
        struct arena scratch; /* of the message being made, where many are sent */
        uint64_t bytes_sent; /* of messages, as they travel */
        uint32_t messages_sent;
        uint32_t credits; /* how many more messages the user takes */
        quoit_compression compression; /* of the messages that are sent */
        quoit_compression message_compression; /* of the message that the user has, as received */
        bool sends_plain; /* the next messages are sent uncompressed */
};

/* All members but `lent` belong to the ring. */
struct exchange {
        struct stream stream; /* first: the session hands it back */
        struct call_group *group;
        struct reader reader;
        struct writer writer;
        struct timer deadline;
        struct list
                ready; /* with its connection, while it may have an event; at its end in the group's `ended` */

        /* fixed before the first message, so any thread that has the call can read it */
        uint64_t deadline_ns; /* UINT64_MAX: there is none */
        size_t message_bytes_max; /* of received messages, also when decompressed */
        compression_set accepted; /* what the peer takes */
        bool takes_many : 1; /* the peer may send any number of messages, not just one */
        bool sends_many : 1; /* the same for us */
        bool shares_arenas : 1; /* a worker may allocate from its arenas */
        bool sends_unframed : 1; /* what is queued does not show where messages begin */

        struct exchange_lent lent;
};

static inline struct exchange *exchange_of_stream(struct stream *stream)
{
        return CONTAINER_OF(stream, struct exchange, stream);
}

/* Takes zeroed memory. */
void exchange_init(struct exchange *exchange, struct call_group *group);

/* Limits received messages. Called before the first one. */
void exchange_limit_messages(struct exchange *exchange, size_t bytes_max);

/*
 * It becomes a call of @group, which has the same host: of the connection that it goes to, or of those that have none. It has
 * received nothing.
 */
void exchange_move(struct exchange *exchange, struct call_group *group);

/* When no output refers to it, and the stream is closed. */
void exchange_deinit(struct exchange *exchange);

/* NULL if memory is short. */
upb_Arena *exchange_make_arena(struct exchange *exchange);

/* The arena that lives as long as the call, made at its first use; NULL if memory is short. */
static inline upb_Arena *exchange_arena(struct exchange *exchange)
{
        return exchange->lent.arena.upb ? exchange->lent.arena.upb : exchange_make_arena(exchange);
}

/* NULL if memory is short. */
upb_Arena *exchange_make_message_arena(struct exchange *exchange);

/*
 * Where the message that the user gets is parsed: an arena of its own where many are received, else the call's. NULL if memory is
 * short. On the thread that has the call.
 */
static inline upb_Arena *exchange_message_arena(struct exchange *exchange)
{
        if (!exchange->takes_many)
                return exchange_arena(exchange);
        return exchange->lent.message_arena.upb ? exchange->lent.message_arena.upb
                                                : exchange_make_message_arena(exchange);
}

/*
 * The user no longer has that message, one of many: the next one is parsed in its place. Parsing has @taken bytes beyond the arena's first
 * block (budget.h): these are freed.
 */
static inline void exchange_message_over(struct exchange *exchange, size_t taken)
{
        struct arena *arena = &exchange->lent.message_arena;

        if (taken > 0)
                arena_reset(arena);
        else if (arena->upb)
                arena_rewind(arena);
}

/* Its session may have something to send. On the ring. */
static inline void exchange_ask_to_send(const struct exchange *exchange)
{
        exchange->group->host->on_output(exchange->group);
}

/* Where its arenas take their blocks. */
static inline struct arena_pool *exchange_pool(const struct exchange *exchange)
{
        const struct call_host *host = exchange->group->host;

        return exchange->shares_arenas ? host->shared_arenas : host->arenas;
}

/* Blocks that only the ring touches. */
static inline upb_alloc *exchange_blocks(const struct exchange *exchange)
{
        return arena_pool_alloc(exchange->group->host->arenas);
}

/* A message waits, and there is credit for it. On the thread that has the call. */
static inline bool exchange_has_message(const struct exchange *exchange)
{
        return exchange->reader.first && exchange->lent.credits > 0;
}
