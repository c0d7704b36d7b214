/* SPDX-License-Identifier: MIT */
#include "core/listener.h"
#include "core/sqe.h"

#include <assert.h>
#include <errno.h>
#include <sys/socket.h>

static void set_state(struct listener *listener, enum listener_state state)
{
        assert(listener->state < LISTENER_STOPPING || state > listener->state);
        listener->state = state;
}

static struct io_uring_sqe *listener_sqe(struct listener *listener, struct op *op)
{
        listener->in_flight++;
        return ring_sqe(listener->ring, op);
}

static void accept_arm(struct listener *listener)
{
        struct io_uring_sqe *sqe = listener_sqe(listener, &listener->accept_op);

        io_uring_prep_multishot_accept(sqe, listener->fd, NULL, NULL, SOCK_CLOEXEC);
        set_state(listener, LISTENER_ACCEPTING);
}

static void on_backoff_over(struct timer *timer)
{
        accept_arm(CONTAINER_OF(timer, struct listener, backoff));
}

static void accept_stopped(struct listener *listener, int res)
{
        switch (res) {
        case -ECONNABORTED: /* these are the fault of one connection, which is gone */
        case -EPROTO:
        case -EPERM:
        case -EINTR:
                accept_arm(listener);
                return;
        }
        if (res >= 0) { /* the kernel ends a multishot when the CQ overflows */
                accept_arm(listener);
                return;
        }
        set_state(listener, LISTENER_BACKING_OFF);
        timer_start(&listener->ring->timers, &listener->backoff,
                ring_now_ns(listener->ring) + LISTENER_BACKOFF_NS, on_backoff_over);
        if (listener->handler->on_backoff)
                listener->handler->on_backoff(listener, res);
}

static void close_when_idle(struct listener *listener)
{
        if (listener->state != LISTENER_STOPPING || listener->in_flight > 0)
                return;
        set_state(listener, LISTENER_CLOSING);
        io_uring_prep_close(listener_sqe(listener, &listener->stop_op), listener->fd);
}

static void on_accept_complete(struct op *op, int res, uint32_t flags)
{
        struct listener *listener = CONTAINER_OF(op, struct listener, accept_op);
        bool last = !(flags & IORING_CQE_F_MORE);

        if (last)
                listener->in_flight--;
        if (res >= 0)
                listener->handler->on_accept(listener, res);
        if (last && listener->state == LISTENER_ACCEPTING)
                accept_stopped(listener, res);
        close_when_idle(listener);
}

static void on_stop_complete(struct op *op, int res, uint32_t flags)
{
        struct listener *listener = CONTAINER_OF(op, struct listener, stop_op);

        (void)res; /* the accept's own completion tells; after a close the descriptor is gone */
        (void)flags;
        listener->in_flight--;
        if (listener->state == LISTENER_STOPPING) {
                close_when_idle(listener);
                return;
        }
        set_state(listener, LISTENER_CLOSED);
        listener->handler->on_closed(listener);
}

void listener_start(struct listener *listener, struct ring *ring, int fd,
        const struct listener_handler *handler)
{
        *listener = (struct listener){
                .ring = ring,
                .handler = handler,
                .accept_op.on_complete = on_accept_complete,
                .stop_op.on_complete = on_stop_complete,
                .fd = fd,
        };
        timer_init(&listener->backoff);
        accept_arm(listener);
}

void listener_stop(struct listener *listener)
{
        if (listener->state >= LISTENER_STOPPING)
                return;
        set_state(listener, LISTENER_STOPPING);
        timer_cancel(&listener->ring->timers, &listener->backoff);
        if (listener->in_flight > 0)
                io_uring_prep_cancel(
                        listener_sqe(listener, &listener->stop_op), &listener->accept_op, 0);
        close_when_idle(listener);
}
