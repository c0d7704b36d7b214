/* SPDX-License-Identifier: MIT */
#pragma once

/* Inside core/ only: how its modules queue operations. Other rooms never see liburing. */

#include "core/ring.h"

#include <liburing.h>
#include <unistd.h>

/*
 * An SQE whose completion goes to @op, counted as in flight from now: the caller must fill it with
 * an io_uring_prep_* (which leaves user_data alone) before it asks for another. Never NULL: a full
 * queue is submitted first.
 */
struct io_uring_sqe *ring_sqe(struct ring *ring, struct op *op);

/* The same for an operation that is over within the submit. The caller adds
 * IOSQE_CQE_SKIP_SUCCESS to the SQE's flags once it is prepared. */
struct io_uring_sqe *ring_sqe_prompt(struct ring *ring, struct prompt_op *prompt);

/* Whether the ring may block: nothing is due. Timers will end the wait, and senders know from here on that they have to. */
bool ring_may_wait(struct ring *ring);

/* As parts of the ring's life: core/ring_poll.c, core/ring_alarm.c. */
void ring_poll_drain(struct ring *ring); /* before a turn's submit */
void ring_alarm_init(struct ring *ring);
void ring_alarm_keep(struct ring *ring, uint64_t time_ns); /* it goes off at @time_ns or before */
void ring_alarm_end(struct ring *ring); /* its operations end, if there are any */

/* As much as the kernel takes for it. */
static inline size_t whole_pages(size_t bytes)
{
        size_t page_bytes = (size_t)getpagesize();

        return (bytes + page_bytes - 1) & ~(page_bytes - 1);
}
