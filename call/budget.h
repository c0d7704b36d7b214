/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The memory that a request needs when it is decompressed and parsed counts for its connection as soon as it is allocated.
 * The limit is `connection_receive_bytes_max` less what the connection holds already, and not more than the ring has left
 * (room.h). Several workers can parse requests of one connection at the same time: they share what is left, block by block.
 *
 *      thread of the handler    budget_begin(), the arena is filled, budget_end()
 *      ring                     budget_settle(), when the message is freed or counts as held
 */

#include <stdbool.h>
#include <stddef.h>

#include "upb/mem/arena.h"

struct call_group;

struct budget {
        upb_ArenaBudget upb; /* first: upb hands its address back */
        struct call_group *group;
        upb_Arena *arena;
        size_t taken; /* bytes, counted in the group's `parsing_bytes` */
        bool exceeded; /* an allocation was refused, ... */
        bool short_of_memory; /* ... because the ring had no room for it, not because of the connection's limit */
};

/* From now on @arena can take what the connection has left. */
void budget_begin(struct budget *budget, struct call_group *group, upb_Arena *arena);

/* Ends that limit: what the handler allocates is not caused by the peer. */
void budget_end(struct budget *budget);

/* @taken bytes no longer count as being parsed. */
void budget_settle(struct call_group *group, size_t taken);
