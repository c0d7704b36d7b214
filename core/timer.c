/* SPDX-License-Identifier: MIT */
#include "core/timer.h"

#include <assert.h>

enum {
        TICK_NS = 1000 * 1000,
        DIGIT_BITS = 6,               /* log2(TIMER_SLOTS) */
        SLOT_DUE = UINT16_MAX,        /* in timers->due */
        SLOT_EXPIRING = UINT16_MAX - 1, /* in the list that timers_expire works on */
};

void timers_init(struct timers *timers, uint64_t now_ns)
{
        *timers = (struct timers){ .tick = now_ns / TICK_NS };
        for (unsigned i = 0; i < TIMER_LEVELS * TIMER_SLOTS; i++)
                list_init(&timers->slots[i]);
        list_init(&timers->due);
}

void timers_deinit(struct timers *timers)
{
        assert(timers->count == 0);
}

/* The lowest level that has timers holds the next one. False when there is none at all. */
static bool wheel_next(const struct timers *timers, unsigned *ret_level, unsigned *ret_slot)
{
        for (unsigned level = 0; level < TIMER_LEVELS; level++) {
                if (!timers->occupied[level])
                        continue;
                *ret_level = level;
                *ret_slot = (unsigned)__builtin_ctzll(timers->occupied[level]);
                return true;
        }
        return false;
}

/* The first tick that @slot of @level stands for: the wheel's own digits above the level, the
 * slot, zeroes below. */
static uint64_t slot_tick(const struct timers *timers, unsigned level, unsigned slot)
{
        uint64_t above = timers->tick >> (DIGIT_BITS * (level + 1)) << (DIGIT_BITS * (level + 1));

        return above | (uint64_t)slot << (DIGIT_BITS * level);
}

uint64_t timers_next_ns(const struct timers *timers)
{
        unsigned level, slot;

        if (!list_is_empty(&timers->due))
                return timers->tick * TICK_NS;
        if (!wheel_next(timers, &level, &slot))
                return TIMER_NEVER;
        if (slot_tick(timers, level, slot) > UINT64_MAX / TICK_NS)
                return TIMER_NEVER;
        return slot_tick(timers, level, slot) * TICK_NS;
}

static void wheel_insert(struct timers *timers, struct timer *timer)
{
        uint64_t differs = timer->tick ^ timers->tick;
        unsigned level, slot;

        if (timer->tick <= timers->tick) {
                timer->slot = SLOT_DUE;
                list_append(&timers->due, &timer->link);
                return;
        }
        level = (63 - (unsigned)__builtin_clzll(differs)) / DIGIT_BITS;
        slot = timer->tick >> (DIGIT_BITS * level) & (TIMER_SLOTS - 1);
        timer->slot = (uint16_t)(level * TIMER_SLOTS + slot);
        timers->occupied[level] |= UINT64_C(1) << slot;
        list_append(&timers->slots[timer->slot], &timer->link);
}

void timer_init(struct timer *timer)
{
        *timer = (struct timer){ .slot = SLOT_DUE };
        list_init(&timer->link);
}

void timer_start(struct timers *timers, struct timer *timer, uint64_t deadline_ns,
        void (*on_expire)(struct timer *timer))
{
        timer_cancel(timers, timer);
        /* Rounded up, so that it never fires early. */
        timer->tick = deadline_ns / TICK_NS + (deadline_ns % TICK_NS != 0);
        timer->on_expire = on_expire;
        wheel_insert(timers, timer);
        timers->count++;
}

void timer_cancel(struct timers *timers, struct timer *timer)
{
        if (!timer_is_running(timer))
                return;
        list_remove(&timer->link);
        timers->count--;
        if (timer->slot < TIMER_LEVELS * TIMER_SLOTS && list_is_empty(&timers->slots[timer->slot]))
                timers->occupied[timer->slot / TIMER_SLOTS] &=
                        ~(UINT64_C(1) << timer->slot % TIMER_SLOTS);
}

static void run_expired(struct timers *timers, struct list *expired)
{
        struct list *link;

        while ((link = list_pop(expired))) {
                struct timer *timer = CONTAINER_OF(link, struct timer, link);

                timers->count--;
                timer->on_expire(timer);
        }
}

/* Empties a slot whose time has come: what is due now goes to @expired, the rest moves to finer
 * levels. */
static void slot_open(struct timers *timers, unsigned level, unsigned slot, struct list *expired)
{
        struct list opened;
        struct list *link;

        list_init(&opened);
        list_splice(&opened, &timers->slots[level * TIMER_SLOTS + slot]);
        timers->occupied[level] &= ~(UINT64_C(1) << slot);
        while ((link = list_pop(&opened))) {
                struct timer *timer = CONTAINER_OF(link, struct timer, link);

                if (timer->tick > timers->tick) {
                        wheel_insert(timers, timer);
                        continue;
                }
                timer->slot = SLOT_EXPIRING;
                list_append(expired, &timer->link);
        }
}

void timers_expire(struct timers *timers, uint64_t now_ns)
{
        uint64_t now_tick = now_ns / TICK_NS;
        struct list expired;
        unsigned level, slot;

        list_init(&expired);
        list_splice(&expired, &timers->due);
        while (wheel_next(timers, &level, &slot) && slot_tick(timers, level, slot) <= now_tick) {
                timers->tick = slot_tick(timers, level, slot);
                slot_open(timers, level, slot, &expired);
        }
        /* Only when no slot is left before it: see struct timers for why the others stay where they are. */
        if (now_tick > timers->tick)
                timers->tick = now_tick;
        run_expired(timers, &expired);
}
