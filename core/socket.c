/* SPDX-License-Identifier: MIT */
#include "core/socket.h"
#include "core/iovecs.h"
#include "core/sqe.h"

#include <assert.h>
#include <errno.h>

static struct io_uring_sqe *socket_sqe(struct socket *socket, struct op *op)
{
        socket->in_flight++;
        return ring_sqe(socket->ring, op);
}

/* --- life --- */

static void set_life(struct socket *socket, enum socket_life life)
{
        assert(life > socket->life);
        socket->life = life;
}

/* Towards the close, once nothing but it is left to do. */
static void close_when_idle(struct socket *socket)
{
        if (socket->life != SOCKET_CANCELLING || socket->in_flight > 0)
                return;
        set_life(socket, SOCKET_CLOSING);
        io_uring_prep_close(socket_sqe(socket, &socket->close_op), socket->fd);
}

static void on_close_complete(struct op *op, int res, uint32_t flags)
{
        struct socket *socket = CONTAINER_OF(op, struct socket, close_op);

        (void)res; /* of a cancel: how many it found; after a close the descriptor is gone */
        (void)flags;
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
        if (socket->in_flight > 0)
                io_uring_prep_cancel_fd(
                        socket_sqe(socket, &socket->close_op), socket->fd, IORING_ASYNC_CANCEL_ALL);
        close_when_idle(socket);
}

void socket_half_close(struct socket *socket)
{
        assert(!socket->send_in_flight);
        /* Fails only when the peer is gone already, which receiving tells. */
        if (socket->life == SOCKET_OPEN)
                (void)shutdown(socket->fd, SHUT_WR);
}

/* --- receiving --- */

static void set_receive(struct socket *socket, enum socket_receive receive)
{
        assert(socket->receive != SOCKET_RECEIVE_ENDED);
        socket->receive = receive;
}

static struct buffers *buffers_of_kind(const struct socket *socket, bool bulk)
{
        return bulk && socket->buffers->bulk ? socket->buffers->bulk : socket->buffers;
}

/* What the next receive takes from; one in flight may take from the other (receive_bulk). */
static struct buffers *next_buffers(const struct socket *socket)
{
        return buffers_of_kind(socket, socket->receive_greedy);
}

static void receive_arm(struct socket *socket, bool once)
{
        struct io_uring_sqe *sqe = socket_sqe(socket, &socket->receive_op);

        if (once)
                io_uring_prep_recv(sqe, socket->fd, NULL, 0, 0);
        else
                io_uring_prep_recv_multishot(sqe, socket->fd, NULL, 0, 0);
        sqe->flags |= IOSQE_BUFFER_SELECT;
        sqe->buf_group = next_buffers(socket)->group;
        socket->receive_bulk = socket->receive_greedy;
        set_receive(socket, SOCKET_RECEIVE_ARMED);
}

static void receive_wait(struct socket *socket)
{
        set_receive(socket, SOCKET_RECEIVE_WAITING);
        buffers_wait(next_buffers(socket), &socket->waiter);
}

/* Its turn has come: one buffer, then it goes to the end of the queue, or back to multishot when
 * there is none. A multishot here would take all buffers for itself, time and again. */
static void on_buffers(struct buffers_waiter *waiter)
{
        receive_arm(CONTAINER_OF(waiter, struct socket, waiter), true);
}

static void receive_start(struct socket *socket)
{
        if (buffers_are_contended(next_buffers(socket)))
                receive_wait(socket); /* no overtaking */
        else
                receive_arm(socket, socket->receive_greedy);
}

static void receive_cancel(struct socket *socket)
{
        struct io_uring_sqe *sqe = socket_sqe(socket, &socket->cancel_op);

        io_uring_prep_cancel(sqe, &socket->receive_op, 0);
        set_receive(socket, SOCKET_RECEIVE_CANCELLING);
}

/* Fair turns: a multishot takes whatever is there, which is megabytes from a fast sender. Who
 * fills a burst of buffers in one turn goes on with one a turn, a large one, until it brings little.
 * Bulk data is also read while what came with the last bite is in the cache, and costs less so. */
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
                SOCKET_BURST_MAX - 1; /* the rest of the turn's are too many as well */
        socket->receive_greedy = true;
        if (socket->receive == SOCKET_RECEIVE_ARMED)
                receive_cancel(socket);
}

/* Nothing of the receive is in flight any more; @res is what it ended with. */
static void receive_stopped(struct socket *socket, int res)
{
        switch (res) {
        case -ECANCELED: /* by receive_cancel; may have been resumed since */
        case -EINTR:
                break;
        case -ENOBUFS:
                if (socket->receive_wanted && socket->receive == SOCKET_RECEIVE_STOPPED)
                        receive_wait(socket);
                return;
        default:
                if (res > 0)
                        break; /* it was for one buffer, or the CQ's overflow ended it */
                set_receive(socket, SOCKET_RECEIVE_ENDED);
                socket->handler->on_receive_end(socket, res);
                return;
        }
        /* on_data may have paused or resumed meanwhile. */
        if (socket->receive_wanted && socket->receive == SOCKET_RECEIVE_STOPPED)
                receive_start(socket);
}

static void on_receive_complete(struct op *op, int res, uint32_t flags)
{
        struct socket *socket = CONTAINER_OF(op, struct socket, receive_op);
        bool last = !(flags & IORING_CQE_F_MORE);

        if (last) {
                socket->in_flight--;
                set_receive(socket, SOCKET_RECEIVE_STOPPED);
        }
        if (flags & IORING_CQE_F_BUFFER) {
                struct buffers *buffers = buffers_of_kind(socket, socket->receive_bulk);
                const unsigned char *bytes = buffers_borrow(buffers, flags);

                if (res > 0 && socket->life == SOCKET_OPEN) {
                        receive_count(socket, (size_t)res);
                        socket->handler->on_data(socket, bytes, (size_t)res);
                }
                buffers_return(buffers, bytes);
        }
        if (last && socket->life == SOCKET_OPEN)
                receive_stopped(socket, res);
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

static void on_cancel_complete(struct op *op, int res, uint32_t flags)
{
        struct socket *socket = CONTAINER_OF(op, struct socket, cancel_op);

        (void)res; /* the receive's own completion tells, also when it was over already */
        (void)flags;
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

static void send_prepare(struct socket *socket, struct io_uring_sqe *sqe, int flags)
{
        struct msghdr *message = &socket->message;

        flags |= MSG_NOSIGNAL | MSG_WAITALL; /* the kernel finishes short sends, mostly */
        if (message->msg_iovlen == 1)
                io_uring_prep_send(sqe, socket->fd, message->msg_iov->iov_base,
                        message->msg_iov->iov_len, flags);
        else
                io_uring_prep_sendmsg(sqe, socket->fd, message, (unsigned)flags);
}

static void send_queue(struct socket *socket)
{
        send_prepare(socket, socket_sqe(socket, &socket->send_op), 0);
}

/* For a send that nobody awaits: when it fits into the kernel's memory at once, it costs no
 * completion. */
static void send_try(struct socket *socket)
{
        struct io_uring_sqe *sqe = ring_sqe_prompt(socket->ring, &socket->try_op);

        socket->in_flight++;
        send_prepare(socket, sqe, MSG_DONTWAIT);
        sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
}

static void send_end(struct socket *socket, int error)
{
        socket->send_in_flight = false;
        socket->handler->on_sent(socket, error);
        close_when_idle(socket);
}

static void on_send_complete(struct op *op, int res, uint32_t flags)
{
        struct socket *socket = CONTAINER_OF(op, struct socket, send_op);
        int error = 0;

        (void)flags;
        socket->in_flight--;
        if (res > 0)
                iovecs_advance(&socket->message.msg_iov, &socket->message.msg_iovlen, (size_t)res);
        if (socket->message.msg_iovlen > 0) {
                bool again = res > 0 || res == -EINTR || res == -EAGAIN;

                if (again && socket->life == SOCKET_OPEN) {
                        send_queue(socket);
                        return;
                }
                error = res < 0 ? res : -ECANCELED;
        }
        send_end(socket, error);
}

static void on_try_success(struct prompt_op *prompt)
{
        struct socket *socket = CONTAINER_OF(prompt, struct socket, try_op);

        socket->in_flight--;
        send_end(socket, 0);
}

/* It went a part of its way or none: the rest waits for the peer. */
static void on_try_failed(struct op *op, int res, uint32_t flags)
{
        struct socket *socket = CONTAINER_OF(op, struct socket, try_op.op);

        on_send_complete(&socket->send_op, res, flags);
}

void socket_send(struct socket *socket, struct iovec *iovecs, size_t count, bool awaited)
{
        assert(socket->life == SOCKET_OPEN && !socket->send_in_flight &&
                count <= SOCKET_IOVECS_MAX);
        socket->message = (struct msghdr){ .msg_iov = iovecs, .msg_iovlen = count };
        iovecs_advance(&socket->message.msg_iov, &socket->message.msg_iovlen, 0);
        assert(socket->message.msg_iovlen > 0);
        socket->send_in_flight = true;
        if (awaited)
                send_queue(socket);
        else
                send_try(socket);
}

void socket_init(struct socket *socket, struct ring *ring, struct buffers *buffers, int fd,
        const struct socket_handler *handler)
{
        *socket = (struct socket){
                .ring = ring,
                .buffers = buffers,
                .handler = handler,
                .receive_op.on_complete = on_receive_complete,
                .try_op = { .op.on_complete = on_try_failed, .on_success = on_try_success },
                .send_op.on_complete = on_send_complete,
                .cancel_op.on_complete = on_cancel_complete,
                .close_op.on_complete = on_close_complete,
                .fd = fd,
        };
        buffers_waiter_init(&socket->waiter, on_buffers);
}
