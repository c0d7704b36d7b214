/* SPDX-License-Identifier: MIT */
#include "core/clock.h"
#include "core/sqe.h"

/*
 * One timeout in the kernel stands for all timers of the ring. A time limit to each wait would do as well, but then the kernel
 * sets and cancels a timer a turn, and the ring reads the clock once more to tell how long is left.
 */

static void on_alarm(struct op *op, int res, uint32_t flags)
{
        struct ring *ring = CONTAINER_OF(op, struct ring, alarm.op);

        (void)res;
        (void)flags;
        /* That there was a turn is all it is for: the timers are expired by the clock. */
        ring->alarm.time_ns = TIMER_NEVER;
}

static void on_alarm_moved(struct op *op, int res, uint32_t flags)
{
        (void)op;
        (void)res; /* it may have gone off meanwhile: then it is set anew */
        (void)flags;
}

static void alarm_set(struct ring *ring, uint64_t time_ns)
{
        struct ring_alarm *alarm = &ring->alarm;
        bool is_set = alarm->time_ns != TIMER_NEVER;
        struct io_uring_sqe *sqe = ring_sqe(ring, is_set ? &alarm->move_op : &alarm->op);

        alarm->time_ns = time_ns;
        alarm->time = (struct __kernel_timespec){
                .tv_sec = (int64_t)(time_ns / NS_PER_S),
                .tv_nsec = (long long)(time_ns % NS_PER_S),
        };
        if (is_set)
                io_uring_prep_timeout_update(
                        sqe, &alarm->time, (uintptr_t)&alarm->op, IORING_TIMEOUT_ABS);
        else
                io_uring_prep_timeout(sqe, &alarm->time, 0, IORING_TIMEOUT_ABS);
}

void ring_alarm_init(struct ring *ring)
{
        ring->alarm = (struct ring_alarm){
                .op.on_complete = on_alarm,
                .move_op.on_complete = on_alarm_moved,
                .time_ns = TIMER_NEVER,
        };
}

void ring_alarm_keep(struct ring *ring, uint64_t time_ns)
{
        /* Calls' deadlines come and go by the thousand: one that is too early is left alone. */
        if (time_ns < ring->alarm.time_ns)
                alarm_set(ring, time_ns);
}

void ring_alarm_end(struct ring *ring)
{
        if (ring->alarm.time_ns != TIMER_NEVER)
                alarm_set(ring, 0);
}
