/* SPDX-License-Identifier: MIT */
#include "core/socket.h"
#include "core/iovecs.h"

#include <assert.h>
#include <errno.h>

static const struct engine_verbs *engine_of(const struct socket *socket)
{
        return socket->ring->engine;
}

/* --- life --- */

static void set_life(struct socket *socket, enum socket_life life)
{
        assert(life > socket->life);
        socket->life = life;
}

/* Starts the close once everything else has ended. */
static void close_when_idle(struct socket *socket)
{
        if (socket->life != SOCKET_CANCELLING || socket->in_flight > 0)
                return;
        set_life(socket, SOCKET_CLOSING);
        socket->in_flight++;
        engine_of(socket)->close_file(socket->ring, &socket->file, &socket->close_op);
}

static void on_close_complete(struct op *op, struct completion completion)
{
        struct socket *socket = CONTAINER_OF(op, struct socket, close_op);

        (void)completion; /* a cancel's says how many it found; after a close the descriptor is gone */
        socket->in_flight--;
        if (socket->life == SOCKET_CANCELLING) {
                close_when_idle(socket);
                return;
        }
        set_life(socket, SOCKET_CLOSED);
        socket->handler->on_closed(socket);
}

void socket_close(struct socket *socket)
{
        if (socket->life != SOCKET_OPEN)
                return;
        set_life(socket, SOCKET_CANCELLING);
        buffers_wait_cancel(&socket->waiter);
        if (socket->in_flight > 0) {
                socket->in_flight++;
                engine_of(socket)->cancel_all(socket->ring, &socket->file, &socket->close_op);
        }
        close_when_idle(socket);
}

void socket_half_close(struct socket *socket)
{
        assert(!socket->send_in_flight);
        if (socket->life == SOCKET_OPEN)
                engine_shutdown(socket->ring, &socket->file);
}

/* --- receiving --- */

static void set_receive(struct socket *socket, enum socket_receive receive)
{
        assert(socket->receive != SOCKET_RECEIVE_ENDED);
        socket->receive = receive;
}

/* The buffers of the next receive; one in flight may use the other buffers. */
static struct buffers *next_buffers(const struct socket *socket)
{
        return socket->receive_greedy && socket->buffers->bulk ? socket->buffers->bulk
                                                               : socket->buffers;
}

static void receive_arm(struct socket *socket, bool once)
{
        socket->in_flight++;
        socket->receive_op.buffers = next_buffers(socket);
        socket->receive_bulk = socket->receive_greedy;
        set_receive(socket, SOCKET_RECEIVE_ARMED);
        engine_of(socket)->receive(socket->ring, &socket->file, &socket->receive_op, once);
}

static void receive_wait(struct socket *socket)
{
        set_receive(socket, SOCKET_RECEIVE_WAITING);
        buffers_wait(next_buffers(socket), &socket->waiter);
}

/*
 * It is this socket's turn: one buffer, then it goes to the end of the queue, or back to multishot when the queue is empty. A
 * multishot here would take all buffers for itself, again and again.
 */
static void on_buffers(struct buffers_waiter *waiter)
{
        receive_arm(CONTAINER_OF(waiter, struct socket, waiter), true);
}

static void receive_start(struct socket *socket)
{
        if (buffers_are_contended(next_buffers(socket)))
                receive_wait(socket); /* no overtaking */
        else
                receive_arm(socket, socket->receive_greedy || socket->buffers->once);
}

static void receive_cancel(struct socket *socket)
{
        socket->in_flight++;
        set_receive(socket, SOCKET_RECEIVE_CANCELLING);
        engine_of(socket)->cancel(
                socket->ring, &socket->file, &socket->cancel_op, &socket->receive_op.op);
}

/*
 * Fair turns: a multishot takes all bytes that are there, which can be megabytes from a fast sender. A socket that fills a
 * burst of buffers in one turn gets one large buffer a turn from then on, until it brings little. Bulk data costs less then,
 * because the buffer stays in the cache.
 */
static void receive_count(struct socket *socket, size_t size)
{
        uint16_t turn = (uint16_t)socket->ring->stats.turns;

        if (socket->receive_greedy && socket->receive_bulk) {
                socket->receive_greedy =
                        size >= SOCKET_LITTLE_BYTES || size >= socket->buffers->buffer_bytes;
                return;
        }
        if (size < socket->buffers->buffer_bytes) {
                socket->receive_burst = 0;
                return;
        }
        if (socket->receive_turn != turn) {
                socket->receive_turn = turn;
                socket->receive_burst = 0;
        }
        if (++socket->receive_burst < SOCKET_BURST_MAX)
                return;
        socket->receive_burst =
                SOCKET_BURST_MAX - 1; /* a further buffer in this turn is too many as well */
        socket->receive_greedy = true;
        if (socket->receive == SOCKET_RECEIVE_ARMED)
                receive_cancel(socket);
}

/* The receive is no longer in flight; it ended with @res. */
static void receive_stopped(struct socket *socket, int res)
{
        switch (res) {
        case -ECANCELED: /* by receive_cancel; it may have been resumed since */
        case -EINTR:
                break;
        case -ENOBUFS:
                if (socket->receive_wanted && socket->receive == SOCKET_RECEIVE_STOPPED)
                        receive_wait(socket);
                return;
        default:
                if (res > 0)
                        break; /* it was for one buffer, or the engine ended it */
                set_receive(socket, SOCKET_RECEIVE_ENDED);
                socket->handler->on_receive_end(socket, res);
                return;
        }
        /* on_data may have paused or resumed meanwhile. */
        if (socket->receive_wanted && socket->receive == SOCKET_RECEIVE_STOPPED)
                receive_start(socket);
}

static void on_receive_complete(struct op *op, struct completion completion)
{
        struct socket *socket = CONTAINER_OF(op, struct socket, receive_op.op);
        struct buffers *buffers = socket->receive_op.buffers; /* on_data may start the next */
        int result = completion.result;

        if (!completion.more) {
                socket->in_flight--;
                set_receive(socket, SOCKET_RECEIVE_STOPPED);
        }
        if (completion.bytes) {
                if (result > 0 && socket->life == SOCKET_OPEN) {
                        receive_count(socket, (size_t)result);
                        socket->handler->on_data(socket, completion.bytes, (size_t)result);
                }
                buffers_return(buffers, completion.bytes);
        }
        if (!completion.more && socket->life == SOCKET_OPEN)
                receive_stopped(socket, result);
        close_when_idle(socket);
}

void socket_resume(struct socket *socket)
{
        if (socket->life != SOCKET_OPEN || socket->receive == SOCKET_RECEIVE_ENDED)
                return;
        socket->receive_wanted = true;
        if (socket->receive == SOCKET_RECEIVE_STOPPED)
                receive_start(socket);
}

void socket_use_buffers(struct socket *socket, struct buffers *buffers)
{
        socket->buffers = buffers;
}

static void on_cancel_complete(struct op *op, struct completion completion)
{
        struct socket *socket = CONTAINER_OF(op, struct socket, cancel_op);

        (void)completion; /* the receive's completion matters, also when it was over already */
        socket->in_flight--;
        close_when_idle(socket);
}

void socket_pause(struct socket *socket)
{
        socket->receive_wanted = false;
        if (socket->life != SOCKET_OPEN)
                return;
        if (socket->receive == SOCKET_RECEIVE_WAITING) {
                buffers_wait_cancel(&socket->waiter);
                set_receive(socket, SOCKET_RECEIVE_STOPPED);
        }
        if (socket->receive == SOCKET_RECEIVE_ARMED)
                receive_cancel(socket);
}

/* --- sending --- */

static void send_start(struct socket *socket, bool awaited)
{
        socket->in_flight++;
        if (awaited)
                engine_of(socket)->send(
                        socket->ring, &socket->file, &socket->send_op.op, &socket->message);
        else
                engine_of(socket)->send_prompt(
                        socket->ring, &socket->file, &socket->send_op, &socket->message);
}

static void send_end(struct socket *socket, int error)
{
        socket->send_in_flight = false;
        socket->handler->on_sent(socket, error);
        close_when_idle(socket);
}

/* The completion of a send that was not awaited: only a part was sent, or nothing. The rest waits for the peer. */
static void on_send_complete(struct op *op, struct completion completion)
{
        struct socket *socket = CONTAINER_OF(op, struct socket, send_op.op);
        int result = completion.result, error = 0;

        socket->in_flight--;
        if (result > 0)
                iovecs_advance(
                        &socket->message.msg_iov, &socket->message.msg_iovlen, (size_t)result);
        if (socket->message.msg_iovlen > 0) {
                bool again = result > 0 || result == -EINTR || result == -EAGAIN;

                if (again && socket->life == SOCKET_OPEN) {
                        send_start(socket, true);
                        return;
                }
                error = result < 0 ? result : -ECANCELED;
        }
        send_end(socket, error);
}

static void on_send_success(struct prompt_op *prompt)
{
        struct socket *socket = CONTAINER_OF(prompt, struct socket, send_op);

        socket->in_flight--;
        send_end(socket, 0);
}

void socket_send(struct socket *socket, struct iovec *iovecs, size_t count, bool awaited)
{
        assert(socket->life == SOCKET_OPEN && !socket->send_in_flight &&
                count <= SOCKET_IOVECS_MAX);
        socket->message = (struct msghdr){ .msg_iov = iovecs, .msg_iovlen = count };
        iovecs_advance(&socket->message.msg_iov, &socket->message.msg_iovlen, 0);
        assert(socket->message.msg_iovlen > 0);
        socket->send_in_flight = true;
        send_start(socket, awaited);
}

void socket_init(struct socket *socket, struct ring *ring, struct buffers *buffers, int fd,
        const struct socket_handler *handler)
{
        *socket = (struct socket){
                .ring = ring,
                .buffers = buffers,
                .handler = handler,
                .receive_op.op.on_complete = on_receive_complete,
                .send_op = { .op.on_complete = on_send_complete, .on_success = on_send_success },
                .cancel_op.on_complete = on_cancel_complete,
                .close_op.on_complete = on_close_complete,
        };
        engine_file_init(&socket->file, fd);
        buffers_waiter_init(&socket->waiter, on_buffers);
}
