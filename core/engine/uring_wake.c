/* SPDX-License-Identifier: MIT */
#include "core/engine/uring.h"

#include <sys/uio.h>

/* --- from any thread: the ring's eventfd, which a read in the kernel waits for --- */

static void on_wake(struct op *op, struct completion completion)
{
        struct ring *ring = CONTAINER_OF(op, struct uring, wake_op)->ring;

        (void)completion;
        /* The wake did its work by ending the wait; what it was for is in the mailbox or the
         * application's. */
        if (!ring->closing && !ring->is_polled)
                uring_wake_arm(ring);
}

void uring_wake_arm(struct ring *ring)
{
        struct uring *uring = ring->uring;
        struct io_uring_sqe *sqe = uring_sqe(ring, &uring->wake_op);

        io_uring_prep_read(sqe, ring->wake_fd, &uring->wake_count, sizeof(uring->wake_count), 0);
}

/* --- from another ring: a completion in our CQ --- */

static void on_mail_came(struct op *op, struct completion completion)
{
        (void)completion;
        /* Another ring's operation put this completion here: it was never counted as ours in
         * flight. */
        CONTAINER_OF(op, struct uring, mail_op)->ring->ops_in_flight++;
}

static void on_mail_posted(struct op *op, struct completion completion)
{
        /* On the sender's ring. MSG_RING may fail for want of memory: the mail must not wait for
         * luck. */
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
        uring->mail_op.on_complete = on_mail_came;
        uring->ring->post_op.on_complete = on_mail_posted;
}

/* --- inside somebody else's loop --- */

/*
 * What is polled is the eventfd that other threads wake the ring by, to which io_uring
 * then writes as well. The ring's own descriptor would not do: with DEFER_TASKRUN work that is due does not wake who polls
 * it. Nor would an eventfd beside the first: the kernel, asked to write to one while it writes to another, puts that off
 * by an RCU grace period, which is milliseconds.
 */
int uring_poll(struct ring *ring)
{
        int r = io_uring_register_eventfd(&ring->uring->io, ring->wake_fd);

        if (r < 0) {
                ring->refused_call = REFUSAL_CALL_REGISTER;
                return r;
        }
        return ring->wake_fd;
}

/* Work that is there by now is found by the submit, what comes later makes it readable again. */
void uring_poll_drain(struct ring *ring)
{
        uint64_t count;

        (void)!preadv2(ring->wake_fd, &(struct iovec){ &count, sizeof(count) }, 1, -1, RWF_NOWAIT);
}
