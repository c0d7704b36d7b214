/* SPDX-License-Identifier: MIT */
#include "core/clock.h"
#include "core/engine/uring.h"

/*
 * One timeout in the kernel stands for all timers of the ring. A time limit to each wait would do as well, but then the kernel
 * sets and cancels a timer a turn, and the ring reads the clock once more to tell how long is left.
 */

static void on_alarm(struct op *op, struct completion completion)
{
        (void)completion;
        /* That there was a turn is all it is for: the timers are expired by the clock. */
        CONTAINER_OF(op, struct uring, alarm_op)->alarm_ns = TIMER_NEVER;
}

static void on_alarm_moved(struct op *op, struct completion completion)
{
        (void)op;
        (void)completion; /* it may have gone off meanwhile: then it is set anew */
}

static void alarm_set(struct ring *ring, uint64_t time_ns)
{
        struct uring *uring = ring->uring;
        bool is_set = uring->alarm_ns != TIMER_NEVER;
        struct io_uring_sqe *sqe =
                uring_sqe(ring, is_set ? &uring->alarm_move_op : &uring->alarm_op);

        uring->alarm_ns = time_ns;
        uring->alarm_time = (struct __kernel_timespec){
                .tv_sec = (int64_t)(time_ns / NS_PER_S),
                .tv_nsec = (long long)(time_ns % NS_PER_S),
        };
        if (is_set)
                io_uring_prep_timeout_update(
                        sqe, &uring->alarm_time, (uintptr_t)&uring->alarm_op, IORING_TIMEOUT_ABS);
        else
                io_uring_prep_timeout(sqe, &uring->alarm_time, 0, IORING_TIMEOUT_ABS);
}

void uring_alarm_init(struct uring *uring)
{
        uring->alarm_op.on_complete = on_alarm;
        uring->alarm_move_op.on_complete = on_alarm_moved;
        uring->alarm_ns = TIMER_NEVER;
}

void uring_alarm(struct ring *ring, uint64_t time_ns)
{
        /* Calls' deadlines come and go by the thousand: one that is too early is left alone. */
        if (time_ns < ring->uring->alarm_ns)
                alarm_set(ring, time_ns);
}

void uring_alarm_end(struct ring *ring)
{
        if (ring->uring->alarm_ns != TIMER_NEVER)
                alarm_set(ring, 0);
}
