/* SPDX-License-Identifier: MIT */
#include "core/clock.h"
#include "core/engine/uring.h"

/*
 * One timeout in the kernel serves all timers of the ring. A time limit for each wait would work too, but then the kernel would
 * set and cancel a timer each turn, and the ring would read the clock once more.
 */

static void on_alarm(struct op *op, struct completion completion)
{
        (void)completion;
        /* It only has to make a turn happen: timers expire by the clock. */
        CONTAINER_OF(op, struct uring, alarm_op)->alarm_ns = TIMER_NEVER;
}

static void on_alarm_moved(struct op *op, struct completion completion)
{
        (void)op;
        (void)completion; /* if it has gone off meanwhile, it is set anew */
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
        /* Deadlines of calls are set and cancelled by the thousand: an alarm that is too early is left unchanged. */
        if (time_ns < ring->uring->alarm_ns)
                alarm_set(ring, time_ns);
}

void uring_alarm_end(struct ring *ring)
{
        if (ring->uring->alarm_ns != TIMER_NEVER)
                alarm_set(ring, 0);
}
