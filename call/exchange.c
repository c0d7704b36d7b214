/* SPDX-License-Identifier: MIT */
#include "call/exchange.h"

#include <assert.h>

#include <quoit/call.h>

#define MESSAGE_ARENA_BYTES ((size_t)1024)
#define ARENA_BYTES ((size_t)1024) /* a small unary call fits; larger ones take further blocks */

void exchange_init(struct exchange *exchange, struct call_group *group)
{
        exchange->group = group;
        exchange->deadline_ns = UINT64_MAX;
        exchange->lent.credits = QUOIT_CREDITS_UNLIMITED;
        timer_init(&exchange->deadline);
        list_init(&exchange->ready);
        exchange_limit_messages(exchange, group->host->limits->message_receive_bytes_max);
}

void exchange_limit_messages(struct exchange *exchange, size_t bytes_max)
{
        exchange->message_bytes_max = bytes_max;
        framing_init(&exchange->reader.framing, bytes_max);
}

void exchange_move(struct exchange *exchange, struct call_group *group)
{
        size_t queued_bytes = exchange->writer.queued_bytes;
        uint64_t now_ns = ring_now_ns(group->host->ring);

        assert(exchange->reader.held_bytes == 0);
        exchange->group->count--;
        exchange->group->queued_bytes -= queued_bytes;
        if (queued_bytes > 0) {
                stall_begin(&exchange->writer.stall, now_ns);
                if (group->queued_bytes == 0)
                        stall_begin(&group->stall, now_ns);
        }
        group->count++;
        group->queued_bytes += queued_bytes;
        exchange->group = group;
}

void exchange_deinit(struct exchange *exchange)
{
        timer_cancel(&exchange->group->host->ring->timers, &exchange->deadline);
        reader_deinit(exchange);
        writer_drop(exchange);
        writer_unpinned(exchange);
        arena_deinit(&exchange->lent.message_arena);
        arena_deinit(&exchange->lent.scratch);
        arena_deinit(&exchange->lent.arena);
}

static int init_arena(struct exchange *exchange)
{
        struct exchange_lent *lent = &exchange->lent;
        struct arena_pool *pool = exchange_pool(exchange);

        if (exchange->shares_arenas)
                return arena_init(&lent->arena, pool, ARENA_BYTES);
        large_blocks_init(&lent->large, pool);
        return arena_init_large(&lent->arena, pool, &lent->large, ARENA_BYTES);
}

upb_Arena *exchange_make_arena(struct exchange *exchange)
{
        return init_arena(exchange) == 0 ? exchange->lent.arena.upb : NULL;
}

upb_Arena *exchange_make_message_arena(struct exchange *exchange)
{
        struct arena *arena = &exchange->lent.message_arena;

        return arena_init(arena, exchange_pool(exchange), MESSAGE_ARENA_BYTES) == 0 ? arena->upb
                                                                                    : NULL;
}
