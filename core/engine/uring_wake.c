/* SPDX-License-Identifier: MIT */
#include "core/engine/uring.h"

#include <poll.h>
#include <sys/uio.h>

/* --- from any thread: the ring's eventfd, which the kernel watches; nobody reads its counter --- */

static void on_wake(struct op *op, struct completion completion)
{
        struct ring *ring = CONTAINER_OF(op, struct uring, wake_op)->ring;

        /* The wake has done its work by ending the wait; its reason is in the mailbox, or the application knows it. */
        if (!completion.more && !ring->closing && !ring->is_polled)
                uring_wake_arm(ring);
}

static void on_unwake(struct op *op, struct completion completion)
{
        (void)op;
        (void)completion;
}

void uring_wake_arm(struct ring *ring)
{
        struct io_uring_sqe *sqe = uring_sqe(ring, &ring->uring->wake_op);

        io_uring_prep_poll_multishot(sqe, ring->wake_fd, POLLIN);
}

static void wake_disarm(struct ring *ring)
{
        struct uring *uring = ring->uring;

        io_uring_prep_cancel(uring_sqe(ring, &uring->unwake_op), &uring->wake_op, 0);
}

void uring_wake_end(struct ring *ring)
{
        if (!ring->is_polled)
                wake_disarm(ring);
}

/* --- from another ring: a completion in our CQ --- */

static void on_mail_arrived(struct op *op, struct completion completion)
{
        (void)completion;
        /* Another ring's operation put this completion here: it was never counted as ours in
         * flight. */
        CONTAINER_OF(op, struct uring, mail_op)->ring->ops_in_flight++;
}

static void on_mail_posted(struct op *op, struct completion completion)
{
        /* On the sender's ring. MSG_RING can fail when memory is short; then the eventfd must wake the receiver. */
        if (completion.result < 0)
                ring_wake(CONTAINER_OF(op, struct ring, post_op));
}

void uring_post(struct ring *from, struct ring *to)
{
        struct io_uring_sqe *sqe = uring_sqe(from, &to->post_op);

        io_uring_prep_msg_ring(sqe, to->uring->io.ring_fd, 0, (uintptr_t)&to->uring->mail_op, 0);
}

void uring_wake_init(struct uring *uring)
{
        uring->wake_op.on_complete = on_wake;
        uring->unwake_op.on_complete = on_unwake;
        uring->mail_op.on_complete = on_mail_arrived;
        uring->ring->post_op.on_complete = on_mail_posted;
}

/* --- in a foreign loop --- */

/*
 * The polled descriptor is the eventfd that other threads use to wake the ring; io_uring then writes to it as well. The ring's
 * own descriptor cannot be used: with DEFER_TASKRUN, work that is due does not wake its poller. A second eventfd does not work
 * either: when the kernel writes to one from within a write to another, it delays that by an RCU grace period, which is
 * milliseconds.
 *
 * So the ring must no longer watch it: each completion would be written there, and completed again.
 */
int uring_poll(struct ring *ring)
{
        int r = io_uring_register_eventfd(&ring->uring->io, ring->wake_fd);

        if (r < 0) {
                ring->refused_call = REFUSAL_CALL_REGISTER;
                return r;
        }
        wake_disarm(ring);
        return ring->wake_fd;
}

/* The submit finds work that is here by now; later work makes the descriptor readable again. */
void uring_poll_drain(struct ring *ring)
{
        uint64_t count;

        (void)!preadv2(ring->wake_fd, &(struct iovec){ &count, sizeof(count) }, 1, -1, RWF_NOWAIT);
}
