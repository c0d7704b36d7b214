/* SPDX-License-Identifier: MIT */
#include "core/buffers.h"
#include "core/engine/uring.h"

void uring_receive(struct ring *ring, struct engine_file *file, struct receive_op *op, bool once)
{
        struct io_uring_sqe *sqe = uring_sqe(ring, &op->op);

        if (once)
                io_uring_prep_recv(sqe, file->fd, NULL, 0, 0);
        else
                io_uring_prep_recv_multishot(sqe, file->fd, NULL, 0, 0);
        sqe->flags |= IOSQE_BUFFER_SELECT;
        sqe->buf_group = op->buffers->group;
}

static void send_prepare(struct io_uring_sqe *sqe, int fd, const struct msghdr *message, int flags)
{
        flags |= MSG_NOSIGNAL | MSG_WAITALL; /* the kernel finishes short sends, mostly */
        if (message->msg_iovlen == 1)
                io_uring_prep_send(
                        sqe, fd, message->msg_iov->iov_base, message->msg_iov->iov_len, flags);
        else
                io_uring_prep_sendmsg(sqe, fd, message, (unsigned)flags);
}

void uring_send(
        struct ring *ring, struct engine_file *file, struct op *op, const struct msghdr *message)
{
        send_prepare(uring_sqe(ring, op), file->fd, message, 0);
}

/* If all of it fits into the socket buffer at once, there is no completion. */
void uring_send_prompt(struct ring *ring, struct engine_file *file, struct prompt_op *op,
        const struct msghdr *message)
{
        struct io_uring_sqe *sqe = uring_sqe_prompt(ring, op);

        send_prepare(sqe, file->fd, message, MSG_DONTWAIT);
        sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
}

void uring_connect(struct ring *ring, struct engine_file *file, struct op *op,
        const struct sockaddr *address, socklen_t address_bytes)
{
        io_uring_prep_connect(uring_sqe(ring, op), file->fd, address, address_bytes);
}

/* Not a multishot: that reports edges, and who reads may leave something. */
void uring_await(struct ring *ring, struct engine_file *file, struct op *op, uint32_t events)
{
        io_uring_prep_poll_add(uring_sqe(ring, op), file->fd, events);
}

void uring_cancel(struct ring *ring, struct engine_file *file, struct op *op, struct op *target)
{
        if (file->accepts)
                uring_accept_cancel(CONTAINER_OF(target, struct accept_op, op), op);
        else
                io_uring_prep_cancel(uring_sqe(ring, op), target, 0);
}

void uring_cancel_all(struct ring *ring, struct engine_file *file, struct op *op)
{
        io_uring_prep_cancel_fd(uring_sqe(ring, op), file->fd, IORING_ASYNC_CANCEL_ALL);
}

void uring_close_file(struct ring *ring, struct engine_file *file, struct op *op)
{
        io_uring_prep_close(uring_sqe(ring, op), file->fd);
}
