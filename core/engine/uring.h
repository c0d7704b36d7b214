/* SPDX-License-Identifier: MIT */
#pragma once

/* Inside core/engine/uring*.c only. No other file uses liburing. */

#include "core/engine.h"

#include <liburing.h>

/* The state of a ring that runs on io_uring. */
struct uring {
        struct io_uring io;
        struct ring *ring;
        struct op wake_op; /* watches our own eventfd */
        struct op unwake_op; /* ends that */
        struct op mail_op; /* completions that other rings' MSG_RING put into our CQ */
        struct op alarm_op; /* the timeout in the kernel that makes a turn for the next timer */
        struct op alarm_move_op; /* moving it */
        struct __kernel_timespec alarm_time; /* the kernel reads it when it is submitted */
        uint64_t alarm_ns; /* when it goes off, TIMER_NEVER when it is not set */
        bool exhausted; /* receives of the last turn have found no buffer */
        bool unsettled; /* the last turn could not tell the results of prompt operations */
};

/*
 * An SQE whose completion goes to @op, counted as in flight from now: the caller must fill it with
 * an io_uring_prep_* (which leaves user_data alone) before it asks for another. Never NULL: a full
 * queue is submitted first.
 */
struct io_uring_sqe *uring_sqe(struct ring *ring, struct op *op);

/* The same for an operation that ends within the submit. The caller adds
 * IOSQE_CQE_SKIP_SUCCESS to the SQE's flags once it is prepared. */
struct io_uring_sqe *uring_sqe_prompt(struct ring *ring, struct prompt_op *prompt);

/* core/engine/uring_verbs.c */
void uring_receive(struct ring *ring, struct engine_file *file, struct receive_op *op, bool once);
void uring_send(
        struct ring *ring, struct engine_file *file, struct op *op, const struct msghdr *message);
void uring_send_prompt(struct ring *ring, struct engine_file *file, struct prompt_op *op,
        const struct msghdr *message);
void uring_connect(struct ring *ring, struct engine_file *file, struct op *op,
        const struct sockaddr *address, socklen_t address_bytes);
void uring_await(struct ring *ring, struct engine_file *file, struct op *op, uint32_t events);
void uring_cancel(struct ring *ring, struct engine_file *file, struct op *op, struct op *target);
void uring_cancel_all(struct ring *ring, struct engine_file *file, struct op *op);
void uring_close_file(struct ring *ring, struct engine_file *file, struct op *op);

/* core/engine/uring_accept.c */
void uring_accept(struct ring *ring, struct engine_file *file, struct accept_op *accept);
void uring_accept_cancel(struct accept_op *accept, struct op *op); /* @op: the cancel's */

/* core/engine/uring_buffers.c */
int uring_buffers_open(struct buffers *buffers);
void uring_buffers_close(struct buffers *buffers);
void uring_buffers_give(struct buffers *buffers, unsigned id);

/* core/engine/uring_wake.c */
void uring_wake_init(struct uring *uring);
void uring_wake_arm(struct ring *ring);
void uring_wake_end(struct ring *ring); /* ends its operation, if it is in flight */
void uring_post(struct ring *from, struct ring *to);
int uring_poll(struct ring *ring);
void uring_poll_drain(struct ring *ring); /* before a turn's submit */

/* core/engine/uring_alarm.c */
void uring_alarm_init(struct uring *uring);
void uring_alarm(struct ring *ring, uint64_t time_ns);
void uring_alarm_end(struct ring *ring); /* ends its operations, if there are any */
