/* SPDX-License-Identifier: MIT */
#pragma once

#include "core/list.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Deadlines of one ring: a hierarchical wheel of intrusive timers with a tick of one millisecond.
 *
 * Why a wheel and not a heap: nearly every timer here is a call's deadline or a connection's keepalive that is cancelled or
 * moved before it fires. Start and cancel are O(1) and touch two neighbours, however many timers there are. 8 levels of 64
 * slots are 2^48 ms, more than 2^64 ns: every deadline_ns has its slot, nothing is clamped. A timer sits on the level of the
 * highest 6-bit digit in which its tick and the wheel's differ, so slots never wrap, and the lowest level that is not empty
 * holds the next one; a timer moves down at most seven times in its life.
 *
 * There is no clock in here: time is an argument, now_ns (CLOCK_MONOTONIC on a ring, anything in a test). One thread.
 */
enum {
        TIMER_LEVELS = 8,
        TIMER_SLOTS = 64,
};

#define TIMER_NEVER UINT64_MAX

struct timer {
        struct list link;
        uint64_t tick;
        void (*on_expire)(struct timer *timer);
        uint16_t slot; /* where link is queued; the last to leave clears the slot's bit */
};

struct timers {
        uint64_t tick; /* all ticks up to this one have been expired */
        uint64_t count;
        uint64_t occupied[TIMER_LEVELS];
        struct list slots[TIMER_LEVELS * TIMER_SLOTS];
        struct list due; /* started with a deadline that had already passed */
};

void timers_init(struct timers *timers, uint64_t now_ns);

/* Asserts that no timer is left running. */
void timers_deinit(struct timers *timers);

/* When timers_expire() has something to do next; TIMER_NEVER without timers. May be earlier than
 * the earliest deadline (a far timer moves to a finer slot then), never later than its
 * millisecond. */
uint64_t timers_next_ns(const struct timers *timers);

/* Runs on_expire of all whose deadline has passed, in the order of their milliseconds. A timer
 * is stopped when its callback runs; callbacks may start, cancel and free any timer. What they
 * start in the past runs in the next call. */
void timers_expire(struct timers *timers, uint64_t now_ns);

/* A stopped timer. Needed once before anything else. */
void timer_init(struct timer *timer);

/* Starts it, or moves a running one. Fires never before @deadline_ns and at most a millisecond
 * (plus the time the thread needs to come around) after it. @timer must stay where it is until
 * it fired or was cancelled. */
void timer_start(struct timers *timers, struct timer *timer, uint64_t deadline_ns,
        void (*on_expire)(struct timer *timer));

/* Stops it; harmless when it is not running. */
void timer_cancel(struct timers *timers, struct timer *timer);

static inline bool timer_is_running(const struct timer *timer)
{
        return !list_is_empty(&timer->link);
}
