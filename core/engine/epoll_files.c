/* SPDX-License-Identifier: MIT */
#include "core/engine/epoll.h"
#include "core/poison.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

enum {
        /* So that no peer can make a turn endless: the rest comes in the next turn. */
        RECEIVES_A_TURN = 8,
        /* Accepts of a listener that stops: connections that wait already must not be lost. Usually the largest backlog. */
        ACCEPTS_AT_LAST = 4096,
};

/* --- readiness --- */

static bool is_tcp(int fd)
{
        socklen_t size = sizeof(int);
        int domain;

        return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 &&
               (domain == AF_INET || domain == AF_INET6);
}

/*
 * Edge-triggered: a file's readiness is stored here and not requested for each operation. EPOLLOUT is requested only for files
 * that had no room: a unix socket would report it each time the peer reads a message.
 */
int epoll_watch(struct ring *ring, struct engine_file *file, bool sending)
{
        struct epoll_event event = {
                .events = EPOLLIN | EPOLLRDHUP | EPOLLPRI | EPOLLET | (sending ? EPOLLOUT : 0u),
                .data.ptr = file,
        };
        int operation = file->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;

        if (file->watched && (file->watched_sending || !sending))
                return 0;
        if (!file->watched && !is_tcp(file->fd))
                file->reads_to_the_end = true;
        if (epoll_ctl(ring->epoll->fd, operation, file->fd, &event) < 0)
                return -errno;
        file->watched = true;
        file->watched_sending = sending;
        return 0;
}

void epoll_unwatch(struct ring *ring, struct engine_file *file)
{
        list_remove(&file->due);
        /* A close alone is not enough: if another process has the same socket, epoll still reports it. */
        if (file->watched)
                (void)epoll_ctl(ring->epoll->fd, EPOLL_CTL_DEL, file->fd, NULL);
        file->watched = false;
        file->watched_sending = false;
}

void epoll_try_later(struct ring *ring, struct engine_file *file)
{
        if (list_is_empty(&file->due))
                list_append(&ring->epoll->due, &file->due);
}

static void note_awaited(struct ring *ring, struct engine_file *file, uint32_t events)
{
        struct op *op = file->in;

        file->in = NULL;
        epoll_deliver(ring, op, (int)events);
}

void epoll_note(struct ring *ring, struct engine_file *file, uint32_t events)
{
        const uint32_t end = EPOLLRDHUP | EPOLLHUP | EPOLLERR;

        if (file->awaits) {
                note_awaited(ring, file, events);
                return;
        }
        if (events & (EPOLLIN | EPOLLPRI | end))
                file->readable = true;
        if (events & (EPOLLPRI | end))
                file->reads_to_the_end = true;
        if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR))
                file->writable = true;
        if ((file->in && file->readable) || (file->out && file->writable))
                epoll_try_later(ring, file);
}

/* --- receiving --- */

/*
 * After a read of less than there was room for, the socket is empty, and epoll reports new bytes: no second read is needed to
 * get EAGAIN. Exceptions are the end of file, urgent data (a read stops in front of it), and sockets other than TCP (a read
 * from a unix socket stops behind a descriptor that was sent).
 */
static void note_short_read(struct engine_file *file)
{
        if (!file->reads_to_the_end)
                file->readable = false;
}

static struct completion receive_once(struct engine_file *file, struct buffers *buffers)
{
        int id = epoll_buffers_next(buffers);
        unsigned char *bytes;
        ssize_t size;

        if (id < 0)
                return (struct completion){ .result = -ENOBUFS };
        bytes = buffers_at(buffers, (unsigned)id);
        unpoison(bytes, buffers->buffer_bytes);
        do
                size = recv(file->fd, bytes, buffers->buffer_bytes, MSG_DONTWAIT);
        while (size < 0 && errno == EINTR);
        if (size <= 0) {
                int error = size < 0 ? errno : 0;

                poison(bytes, buffers->buffer_bytes);
                return (struct completion){ .result = -error };
        }
        if ((size_t)size < buffers->buffer_bytes)
                note_short_read(file);
        return (struct completion){ .result = (int)size, .bytes = epoll_buffers_lend(buffers) };
}

static void receive(struct ring *ring, struct engine_file *file)
{
        struct op *op = file->in;

        for (unsigned i = 0; i < RECEIVES_A_TURN; i++) {
                struct buffers *buffers = CONTAINER_OF(op, struct receive_op, op)->buffers;
                struct completion completion = receive_once(file, buffers);

                if (completion.result == -EAGAIN) {
                        file->readable = false;
                        return;
                }
                completion.more = completion.result > 0 && !file->once;
                if (!completion.more)
                        file->in = NULL;
                epoll_queue_result(ring, op, completion);
                /* It was the last result, and @file may be freed. Or it was cancelled, and ends in the next turn. */
                if (!completion.more || file->in != op || !file->readable)
                        return;
        }
        epoll_try_later(ring, file);
}

/* --- accepting --- */

/*
 * Another process that listens on the same socket may take the connection that epoll reported: accept4() must not wait then.
 * The flag belongs to the socket, not to the process. We never clear it; io_uring's accept ignores it.
 */
static void set_nonblocking(int fd)
{
        int flags = fcntl(fd, F_GETFL);

        if (flags >= 0 && !(flags & O_NONBLOCK))
                (void)fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

static void accept_end(struct ring *ring, struct engine_file *file, int result)
{
        struct op *op = file->in;

        file->in = NULL;
        list_remove(&file->due);
        epoll_queue_result(ring, op, (struct completion){ .result = result });
}

static int accept_one(struct engine_file *file)
{
        struct endpoint *peer = &CONTAINER_OF(file->in, struct accept_op, op)->peer;

        *peer = (struct endpoint){ .bytes = ENDPOINT_BYTES_MAX };
        return accept4(file->fd, &peer->any, &peer->bytes, SOCK_CLOEXEC);
}

static void accept_all(struct ring *ring, struct engine_file *file)
{
        set_nonblocking(file->fd);
        for (unsigned i = 0; i < (file->ending ? ACCEPTS_AT_LAST : ACCEPTS_A_TURN); i++) {
                int fd = accept_one(file);
                int error = fd < 0 ? errno : 0;

                if (error == EINTR)
                        continue;
                if (error == EAGAIN) {
                        file->readable = false;
                        if (file->ending)
                                accept_end(ring, file, -ECANCELED);
                        return;
                }
                if (error > 0) {
                        accept_end(ring, file, -error);
                        return;
                }
                epoll_queue_result(
                        ring, file->in, (struct completion){ .result = fd, .more = true });
        }
        if (file->ending)
                accept_end(ring, file, -ECANCELED);
        else
                epoll_try_later(ring, file);
}

/* --- sending and connecting --- */

size_t epoll_message_bytes(const struct msghdr *message)
{
        size_t size = 0;

        for (size_t i = 0; i < message->msg_iovlen; i++)
                size += message->msg_iov[i].iov_len;
        return size;
}

int epoll_try_send(struct ring *ring, struct engine_file *file, const struct msghdr *message)
{
        ssize_t size;
        int r;

        if (!file->writable)
                return -EAGAIN;
        do
                size = sendmsg(file->fd, message, MSG_DONTWAIT | MSG_NOSIGNAL);
        while (size < 0 && errno == EINTR);
        if (size < 0 && errno != EAGAIN)
                return -errno;
        if (size >= 0 && (size_t)size == epoll_message_bytes(message))
                return (int)size;
        /* It is full now. Epoll reports when there is room again, which may be at once. */
        r = epoll_watch(ring, file, true);
        file->writable = r < 0; /* if epoll cannot report it, the next send fails with that error */
        if (size > 0)
                return (int)size;
        return r < 0 ? r : -EAGAIN;
}

static int connect_result(struct engine_file *file)
{
        socklen_t size = sizeof(int);
        int error = 0;

        if (getsockopt(file->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
                error = errno;
        return -error;
}

/* False: it still waits for room. */
static bool send_on(struct ring *ring, struct engine_file *file)
{
        struct op *op = file->out;
        int r;

        if (file->connects) {
                r = connect_result(file);
                epoll_unwatch(ring, file); /* the descriptor has another owner from now on */
        } else {
                r = epoll_try_send(ring, file, file->message);
        }
        if (r == -EAGAIN)
                return false;
        file->out = NULL;
        epoll_queue_result(ring, op, (struct completion){ .result = r });
        return true;
}

void epoll_try_operations(struct ring *ring, struct engine_file *file)
{
        if (file->out && file->writable) {
                bool was_all = !file->in;

                /* The last operation in flight may have freed the object. */
                if (send_on(ring, file) && was_all)
                        return;
        }
        if (!file->in || !file->readable)
                return;
        if (file->accepts)
                accept_all(ring, file);
        else
                receive(ring, file);
}
