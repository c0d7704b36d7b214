/* SPDX-License-Identifier: MIT */
#include "core/engine/uring.h"

#include <errno.h>

/*
 * Some accepts are in flight, each for one connection, and one that has ended is started anew. So a turn brings a limited number
 * of connections; the others stay in the listener's backlog. A multishot accept would take them as fast as peers can connect, and
 * the connections that are open already would wait until all of these are opened.
 *
 * The address of each is asked for: an accept that is in flight for long would need memory for it. It ignores O_NONBLOCK, which
 * another process that shares the socket may have set: epoll_files.c.
 */

static struct io_uring_sqe *start(struct accept_op *accept, struct op *op)
{
        accept->in_flight++;
        return uring_sqe(accept->ring, op);
}

static void accept_one(struct accept_op *accept)
{
        io_uring_prep_accept(
                start(accept, &accept->op), accept->file->fd, NULL, NULL, SOCK_CLOEXEC);
}

static void cancel(struct accept_op *accept, struct io_uring_sqe *sqe)
{
        io_uring_prep_cancel(sqe, &accept->op, IORING_ASYNC_CANCEL_ALL);
}

/* All others are cancelled; the error is told when they have ended. */
static void fail(struct accept_op *accept, int error)
{
        accept->error = error;
        cancel(accept, start(accept, &accept->cancel_op));
}

static void end_when_idle(struct accept_op *accept)
{
        if (accept->in_flight == 0)
                system_on_accepted(&accept->op, (struct completion){ .result = accept->error });
}

static void on_accepted(struct op *op, struct completion completion)
{
        struct accept_op *accept = CONTAINER_OF(op, struct accept_op, op);
        bool is_ending = accept->error < 0;

        accept->in_flight -= !completion.more;
        if (completion.result >= 0) {
                if (!is_ending)
                        accept_one(accept);
                completion.more = true;
                system_on_accepted(op, completion);
        } else if (!is_ending) {
                fail(accept, completion.result);
        }
        end_when_idle(accept);
}

static void on_cancelled(struct op *op, struct completion completion)
{
        struct accept_op *accept = CONTAINER_OF(op, struct accept_op, cancel_op);

        (void)completion;
        accept->in_flight--;
        end_when_idle(accept);
}

void uring_accept(struct ring *ring, struct engine_file *file, struct accept_op *accept)
{
        accept->op.on_complete = on_accepted;
        accept->cancel_op.on_complete = on_cancelled;
        accept->ring = ring;
        accept->file = file;
        accept->error = 0;
        accept->in_flight = 0;
        file->accepts = true;
        for (unsigned i = 0; i < ACCEPTS_A_TURN; i++)
                accept_one(accept);
}

/* Connections that wait already must not be lost: a multishot accept, which ends at once, takes all of them. */
void uring_accept_cancel(struct accept_op *accept, struct op *op)
{
        if (accept->error == 0)
                accept->error = -ECANCELED;
        io_uring_prep_multishot_accept(
                start(accept, &accept->op), accept->file->fd, NULL, NULL, SOCK_CLOEXEC);
        cancel(accept, uring_sqe(accept->ring, op));
}
