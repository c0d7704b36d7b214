/* SPDX-License-Identifier: MIT */
#include "core/engine/epoll.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

/* --- receiving and accepting --- */

static void take_in(struct ring *ring, struct engine_file *file, struct op *op)
{
        int r = epoll_watch(ring, file, false);

        ring->ops_in_flight++;
        if (r < 0) {
                epoll_deliver(ring, op, r);
                return;
        }
        file->in = op;
        if (file->readable)
                epoll_try_later(ring, file);
}

void epoll_receive(struct ring *ring, struct engine_file *file, struct receive_op *op, bool once)
{
        file->once = once;
        take_in(ring, file, &op->op);
}

/* epoll_files.c has stored the peer's address. */
static void on_accepted(struct op *op, struct completion completion)
{
        struct accept_op *accept = CONTAINER_OF(op, struct accept_op, op);

        accept->on_accept(accept, completion);
}

void epoll_accept(struct ring *ring, struct engine_file *file, struct accept_op *op)
{
        file->accepts = true;
        file->ending = false;
        op->op.on_complete = on_accepted;
        take_in(ring, file, &op->op);
}

/* --- sending and connecting --- */

static void wait_for_room(struct engine_file *file, struct op *op, const struct msghdr *message)
{
        file->out = op;
        file->message = message;
}

void epoll_send(
        struct ring *ring, struct engine_file *file, struct op *op, const struct msghdr *message)
{
        int r = epoll_try_send(ring, file, message);

        ring->ops_in_flight++;
        if (r == -EAGAIN)
                wait_for_room(file, op, message);
        else
                epoll_deliver(ring, op, r);
}

void epoll_send_prompt(struct ring *ring, struct engine_file *file, struct prompt_op *op,
        const struct msghdr *message)
{
        int r = epoll_try_send(ring, file, message);

        ring->ops_in_flight++;
        if (r == -EAGAIN)
                wait_for_room(file, &op->op, message);
        else if (r == (int)epoll_message_bytes(message))
                list_append(&ring->prompt, &op->link);
        else
                epoll_deliver(ring, &op->op, r);
}

static int connect_begin(int fd, const struct sockaddr *address, socklen_t address_bytes)
{
        int flags = fcntl(fd, F_GETFL);
        int r;

        if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
                return -errno;
        r = connect(fd, address, address_bytes) < 0 ? -errno : 0;
        (void)fcntl(fd, F_SETFL, flags); /* the connect goes on nevertheless */
        return r;
}

void epoll_connect(struct ring *ring, struct engine_file *file, struct op *op,
        const struct sockaddr *address, socklen_t address_bytes)
{
        int r = connect_begin(file->fd, address, address_bytes);

        ring->ops_in_flight++;
        if (r == -EINPROGRESS) {
                file->connects = true;
                file->writable = false;
                r = epoll_watch(ring, file, true);
                if (r == 0) {
                        file->out = op;
                        return;
                }
        }
        epoll_deliver(ring, op, r);
}

/* --- readiness for others --- */

/* One report for each await, of what holds at that time: not of edges, as who reads may leave something. */
void epoll_await(struct ring *ring, struct engine_file *file, struct op *op, uint32_t events)
{
        struct epoll_event event = { .events = events | EPOLLONESHOT, .data.ptr = file };
        int operation = file->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;

        ring->ops_in_flight++;
        if (epoll_ctl(ring->epoll->fd, operation, file->fd, &event) < 0) {
                epoll_deliver(ring, op, -errno);
                return;
        }
        file->watched = true;
        file->awaits = true;
        file->in = op;
}

/* --- the end --- */

static void cancel_in(struct ring *ring, struct engine_file *file)
{
        if (file->accepts) {
                /* Connections that the kernel has accepted already would be lost. */
                file->ending = true;
                file->readable = true;
                epoll_try_later(ring, file);
                return;
        }
        epoll_deliver(ring, file->in, -ECANCELED);
        file->in = NULL;
}

static void cancel_out(struct ring *ring, struct engine_file *file)
{
        if (file->connects)
                epoll_unwatch(ring, file);
        epoll_deliver(ring, file->out, -ECANCELED);
        file->out = NULL;
}

void epoll_cancel(struct ring *ring, struct engine_file *file, struct op *op, struct op *target)
{
        int r = 0;

        ring->ops_in_flight++;
        if (file->awaits)
                epoll_unwatch(ring, file); /* its owner may close the descriptor now */
        if (file->in == target)
                cancel_in(ring, file);
        else if (file->out == target)
                cancel_out(ring, file);
        else
                r = -ENOENT; /* it has ended; its result may not be delivered yet */
        epoll_deliver(ring, op, r);
}

void epoll_cancel_all(struct ring *ring, struct engine_file *file, struct op *op)
{
        int count = !!file->in + !!file->out;

        ring->ops_in_flight++;
        if (file->in)
                cancel_in(ring, file);
        if (file->out)
                cancel_out(ring, file);
        epoll_deliver(ring, op, count);
}

void epoll_close_file(struct ring *ring, struct engine_file *file, struct op *op)
{
        epoll_unwatch(ring, file);
        ring->ops_in_flight++;
        epoll_deliver(ring, op, close(file->fd) < 0 ? -errno : 0);
}
