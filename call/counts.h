/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Counters that one ring writes and any thread reads: plain additions in memory, without a lock. A reader of several can see
 * values of different moments.
 */

#include <stdatomic.h>
#include <stdint.h>

typedef _Atomic uint64_t counter;

static inline uint64_t counter_read(const counter *from)
{
        return atomic_load_explicit(from, memory_order_relaxed);
}

static inline void counter_set(counter *to, uint64_t value)
{
        atomic_store_explicit(to, value, memory_order_relaxed);
}

/* On its ring only: the addition is not atomic. */
static inline void counter_add(counter *to, uint64_t n)
{
        counter_set(to, counter_read(to) + n);
}

/* Of all calls of a ring. */
struct call_counts {
        counter started;
        counter succeeded; /* ended with QUOIT_OK, and its handler has ended too */
        counter failed; /* ended with anything else, likewise */
        counter last_ns; /* when the last one began, CLOCK_MONOTONIC; 0: there was none */
};

/* Calls that have not ended, or whose handlers have not. On their ring: on other threads the three values can be of different moments. */
static inline uint64_t call_counts_open(const struct call_counts *counts)
{
        return counter_read(&counts->started) - counter_read(&counts->succeeded) -
               counter_read(&counts->failed);
}

/* Of a connection, with the names of channelz. */
struct stream_counts {
        counter started;
        counter succeeded; /* both sides have ended in order */
        counter failed;
        counter messages_sent; /* handed over to be sent */
        counter messages_received; /* whole */
        counter last_started_ns;
        counter last_sent_ns; /* when bytes of a message were sent */
        counter last_received_ns;
};
