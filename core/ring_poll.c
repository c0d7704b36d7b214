/* SPDX-License-Identifier: MIT */
#include "core/clock.h"
#include "core/ring.h"
#include "core/sqe.h"

#include <assert.h>
#include <sys/uio.h>

/*
 * A ring inside somebody else's loop. What is polled is the eventfd that other threads wake the ring by, to which io_uring
 * then writes as well. The ring's own descriptor would not do: with DEFER_TASKRUN work that is due does not wake who polls
 * it. Nor would an eventfd beside the first: the kernel, asked to write to one while it writes to another, puts that off
 * by an RCU grace period, which is milliseconds.
 */

static void on_alarm(struct op *op, int res, uint32_t flags)
{
        struct ring *ring = CONTAINER_OF(op, struct ring, poll.alarm_op);

        (void)res;
        (void)flags;
        /* That there was a turn is all it is for: the timers are expired by the clock. */
        ring->poll.alarm_ns = TIMER_NEVER;
}

static void on_alarm_moved(struct op *op, int res, uint32_t flags)
{
        (void)op;
        (void)res; /* it may have gone off meanwhile: then it is set anew */
        (void)flags;
}

/* Goes off at @time_ns or before. Calls' deadlines come and go by the thousand: one that is too early is left alone. */
static void alarm_set(struct ring *ring, uint64_t time_ns)
{
        struct ring_poll *poll = &ring->poll;
        bool is_set = poll->alarm_ns != TIMER_NEVER;
        struct io_uring_sqe *sqe;

        if (time_ns >= poll->alarm_ns)
                return;
        sqe = ring_sqe(ring, is_set ? &poll->move_op : &poll->alarm_op);
        poll->alarm_ns = time_ns;
        poll->alarm = (struct __kernel_timespec){
                .tv_sec = (int64_t)(time_ns / NS_PER_S),
                .tv_nsec = (long long)(time_ns % NS_PER_S),
        };
        if (is_set)
                io_uring_prep_timeout_update(
                        sqe, &poll->alarm, (uintptr_t)&poll->alarm_op, IORING_TIMEOUT_ABS);
        else
                io_uring_prep_timeout(sqe, &poll->alarm, 0, IORING_TIMEOUT_ABS);
}

int ring_poll_fd(struct ring *ring)
{
        int r;

        if (ring->poll.is_open)
                return ring->wake_fd;
        r = io_uring_register_eventfd(ring->uring, ring->wake_fd);
        if (r < 0)
                return r;
        ring->poll.is_open = true;
        ring_wake(ring); /* a turn is due: what the ring has queued itself so far */
        return ring->wake_fd;
}

bool ring_may_poll(struct ring *ring)
{
        assert(ring->poll.is_open && !ring->in_turn);
        alarm_set(ring, timers_next_ns(&ring->timers));
        return io_uring_sq_ready(ring->uring) == 0 && io_uring_cq_ready(ring->uring) == 0 &&
               ring_wait_ns(ring, RING_FOREVER) > 0;
}

/* Work that is there by now is found by the submit, what comes later makes it readable again. */
void ring_poll_drain(struct ring *ring)
{
        uint64_t count;

        if (ring->poll.is_open)
                (void)!preadv2(
                        ring->wake_fd, &(struct iovec){ &count, sizeof(count) }, 1, -1, RWF_NOWAIT);
}

void ring_poll_init(struct ring *ring)
{
        ring->poll = (struct ring_poll){
                .alarm_op.on_complete = on_alarm,
                .move_op.on_complete = on_alarm_moved,
                .alarm_ns = TIMER_NEVER,
        };
}

void ring_poll_end(struct ring *ring)
{
        if (ring->poll.alarm_ns != TIMER_NEVER)
                alarm_set(ring, 0);
}
