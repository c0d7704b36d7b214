/* SPDX-License-Identifier: MIT */
#include "call/budget.h"

#include <stdatomic.h>

#include "call/call.h"

static bool take(upb_ArenaBudget *upb, size_t size)
{
        struct budget *budget = (struct budget *)upb;
        struct call_group *group = budget->group;
        size_t max = group->host->limits->connection_receive_bytes_max;
        size_t parsing = atomic_load_explicit(&group->parsing_bytes, memory_order_relaxed);

        do {
                size_t used = counter_read(&group->held_bytes) + parsing;

                if (used > max || size > max - used) {
                        budget->exceeded = true;
                        return false;
                }
                if (!room_allows(&group->host->room, used + size)) {
                        budget->exceeded = budget->short_of_memory = true;
                        return false;
                }
        } while (!atomic_compare_exchange_weak_explicit(&group->parsing_bytes, &parsing,
                parsing + size, memory_order_relaxed, memory_order_relaxed));
        budget->taken += size;
        return true;
}

void budget_begin(struct budget *budget, struct call_group *group, upb_Arena *arena)
{
        *budget = (struct budget){ .upb = { .take = take }, .group = group, .arena = arena };
        upb_Arena_SetBudget(arena, &budget->upb);
}

void budget_end(struct budget *budget)
{
        upb_Arena_SetBudget(budget->arena, NULL);
}

void budget_settle(struct call_group *group, size_t taken)
{
        if (taken > 0) /* it is dear, and small messages take nothing */
                atomic_fetch_sub_explicit(&group->parsing_bytes, taken, memory_order_relaxed);
}
