/* SPDX-License-Identifier: MIT */
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

int ring_poll_fd(struct ring *ring)
{
        int r;

        if (ring->is_polled)
                return ring->wake_fd;
        r = io_uring_register_eventfd(ring->uring, ring->wake_fd);
        if (r < 0) {
                ring->refused_call = REFUSAL_CALL_REGISTER;
                return r;
        }
        ring->is_polled = true;
        ring_wake(ring); /* a turn is due: what the ring has queued itself so far */
        return ring->wake_fd;
}

bool ring_may_poll(struct ring *ring)
{
        assert(ring->is_polled && !ring->in_turn);
        return ring_may_wait(ring) && io_uring_sq_ready(ring->uring) == 0 &&
               io_uring_cq_ready(ring->uring) == 0;
}

/* Work that is there by now is found by the submit, what comes later makes it readable again. */
void ring_poll_drain(struct ring *ring)
{
        uint64_t count;

        if (ring->is_polled)
                (void)!preadv2(
                        ring->wake_fd, &(struct iovec){ &count, sizeof(count) }, 1, -1, RWF_NOWAIT);
}
