/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * How much of a ring's memory one connection may hold: as much as the ring has left, and a little in any case.
 *
 * Switches share their memory among ports by this rule (Choudhury and Hahne, "Dynamic Queue Length Thresholds"). One
 * connection alone may have half of all; of N that take what they get each has 1/(N+1), and as much is left for who comes
 * next. So there is no moment in which memory is suddenly gone, nobody counts who shares it, and who holds little need not
 * look. It is compared with the bytes of a connection's requests and waiting answers, which are counted in any case, and
 * what is left is known from the pools that all of it lies in. So this costs a small call two comparisons.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "call/counts.h"
#include "codec/arena.h"

/* The least and the most that `bytes_min` below may be: the most of it is where there are few connections. */
#define ROOM_BYTES_MIN_LEAST ((size_t)4 << 10)
#define ROOM_BYTES_MIN_MOST ((size_t)64 << 10)

struct room {
        size_t bytes_max; /* the ring's part of `memory_bytes_max`; SIZE_MAX: it has no limit */
        /* a connection may hold this much of requests, and as much of answers, however little there is left */
        atomic_size_t bytes_min;
        const struct arena_pool *arenas; /* where messages lie; ... */
        const struct arena_pool *shared_arenas;
        counter other_bytes; /* ... calls and the rest of what they need do not, as of the last turn */
        atomic_ullong refused; /* calls that were refused or ended for want of memory, ever */
        bool is_half_used; /* more than half is used, measured at the end of the last turn */
};

/* What connections hold on this ring. Any thread. */
static inline size_t room_used_bytes(const struct room *room)
{
        return arena_pool_used_bytes(room->arenas) + arena_pool_used_bytes(room->shared_arenas) +
               counter_read(&room->other_bytes);
}

static inline bool room_is_exceeded(const struct room *room)
{
        return room_used_bytes(room) > room->bytes_max;
}

/* Any thread. */
static inline size_t room_bytes_min(const struct room *room)
{
        return atomic_load_explicit(&room->bytes_min, memory_order_relaxed);
}

/* What @connections may hold in any case is a quarter of all for requests, and a quarter for answers, unless they are very many. */
static inline void room_share(struct room *room, size_t connections)
{
        size_t bytes_min = connections > 0 ? room->bytes_max / 4 / connections : SIZE_MAX;

        if (bytes_min > ROOM_BYTES_MIN_MOST)
                bytes_min = ROOM_BYTES_MIN_MOST;
        if (bytes_min < ROOM_BYTES_MIN_LEAST)
                bytes_min = ROOM_BYTES_MIN_LEAST;
        atomic_store_explicit(&room->bytes_min, bytes_min, memory_order_relaxed);
}

/* Whether a connection may hold @bytes of either kind, counted among what is used already. Any thread. */
static inline bool room_allows(const struct room *room, size_t bytes)
{
        size_t used;

        if (bytes <= room_bytes_min(room) || room->bytes_max == SIZE_MAX)
                return true;
        used = room_used_bytes(room);
        return used < room->bytes_max && bytes <= room->bytes_max - used;
}

static inline void room_note_refusal(struct room *room)
{
        atomic_fetch_add_explicit(&room->refused, 1, memory_order_relaxed);
}
