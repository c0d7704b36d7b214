/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What requests become when they are decompressed and parsed counts with what their connection holds, while
 * it is allocated: `connection_receive_bytes_max` less all that the connection has already, and not more than the ring has
 * left (room.h). Several
 * workers may parse requests of one connection at the same time; they draw on the same rest, block by block.
 *
 *      thread of the handler    budget_begin(), the arena is filled, budget_end()
 *      ring                     budget_settle(), when the message is gone or counts as held
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
        bool exceeded; /* something was refused, ... */
        bool short_of_memory; /* ... as the ring had no room for it, whatever its connection may have */
};

/* From now on @arena takes what the connection has left. */
void budget_begin(struct budget *budget, struct call_group *group, upb_Arena *arena);

/* And now what it likes again: what the handler allocates is not the peer's doing. */
void budget_end(struct budget *budget);

/* @taken bytes do not count as being parsed any more. */
void budget_settle(struct call_group *group, size_t taken);
