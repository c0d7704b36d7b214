/* SPDX-License-Identifier: MIT */
#include "core/listener.h"

#include <assert.h>
#include <errno.h>
#include <sys/socket.h>

static void set_state(struct listener *listener, enum listener_state state)
{
        assert(listener->state < LISTENER_STOPPING || state > listener->state);
        listener->state = state;
}

static void accept_arm(struct listener *listener)
{
        listener->in_flight++;
        set_state(listener, LISTENER_ACCEPTING);
        listener->ring->engine->accept(listener->ring, &listener->file, &listener->accept_op);
}

static void on_backoff_over(struct timer *timer)
{
        accept_arm(CONTAINER_OF(timer, struct listener, backoff));
}

static void accept_stopped(struct listener *listener, int result)
{
        switch (result) {
        case -ECONNABORTED: /* these concern one connection, which is gone */
        case -EPROTO:
        case -EPERM:
        case -EINTR:
                accept_arm(listener);
                return;
        }
        if (result >= 0) { /* it may also end with a connection */
                accept_arm(listener);
                return;
        }
        set_state(listener, LISTENER_BACKING_OFF);
        timer_start(&listener->ring->timers, &listener->backoff,
                ring_now_ns(listener->ring) + LISTENER_BACKOFF_NS, on_backoff_over);
        if (listener->handler->on_backoff)
                listener->handler->on_backoff(listener, result);
}

static void close_when_idle(struct listener *listener)
{
        if (listener->state != LISTENER_STOPPING || listener->in_flight > 0)
                return;
        set_state(listener, LISTENER_CLOSING);
        listener->in_flight++;
        listener->ring->engine->close_file(listener->ring, &listener->file, &listener->stop_op);
}

static void on_accept_complete(struct accept_op *op, struct completion completion)
{
        struct listener *listener = CONTAINER_OF(op, struct listener, accept_op);

        if (!completion.more)
                listener->in_flight--;
        if (completion.result >= 0)
                listener->handler->on_accept(listener, completion.result, &op->peer);
        if (!completion.more && listener->state == LISTENER_ACCEPTING)
                accept_stopped(listener, completion.result);
        close_when_idle(listener);
}

static void on_stop_complete(struct op *op, struct completion completion)
{
        struct listener *listener = CONTAINER_OF(op, struct listener, stop_op);

        (void)completion; /* the accept's completion matters; after a close the descriptor is gone */
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
                .accept_op.on_accept = on_accept_complete,
                .stop_op.on_complete = on_stop_complete,
        };
        engine_file_init(&listener->file, fd);
        timer_init(&listener->backoff);
        accept_arm(listener);
}

void listener_stop(struct listener *listener)
{
        if (listener->state >= LISTENER_STOPPING)
                return;
        set_state(listener, LISTENER_STOPPING);
        timer_cancel(&listener->ring->timers, &listener->backoff);
        if (listener->in_flight > 0) {
                listener->in_flight++;
                listener->ring->engine->cancel(listener->ring, &listener->file, &listener->stop_op,
                        &listener->accept_op.op);
        }
        close_when_idle(listener);
}
