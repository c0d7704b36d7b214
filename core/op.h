/* SPDX-License-Identifier: MIT */
#pragma once

#include "core/list.h"

#include <stdint.h>

/*
 * One operation given to the kernel, embedded in the object that it belongs to; its address is the
 * CQE's user_data.
 *
 * Ownership: from the moment its SQE is queued until its last completion (a CQE without
 * IORING_CQE_F_MORE) the kernel owns the operation: neither it nor memory that its SQE points to
 * (buffers, iovecs, addresses) may move or be freed. Closing a descriptor ends nothing: cancel,
 * then await the last completion.
 */
struct op {
        /* @res: what the call would have returned, or a negative errno. @flags: the CQE's
         * IORING_CQE_F_*. Runs on the ring's thread from the turn itself, never from within
         * another callback; may free the object that embeds @op when this was the last
         * completion. */
        void (*on_complete)(struct op *op, int res, uint32_t flags);
};

/*
 * An operation that is over once the kernel has looked at it: it succeeds then and there, without a
 * completion (IOSQE_CQE_SKIP_SUCCESS), or has failed with one. A send that may not wait
 * (MSG_DONTWAIT) is such. A completion that nobody waits for would end the ring's wait: two turns
 * where one does.
 */
struct prompt_op {
        struct op op; /* on_complete: it failed, this is its only completion */
        struct list link; /* in ring->prompt while it is undecided */
        /* It succeeded. As on_complete, it runs from the turn itself, before any completion. */
        void (*on_success)(struct prompt_op *prompt);
};
