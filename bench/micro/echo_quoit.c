/* SPDX-License-Identifier: MIT */

/* The echo on Quoit's proactor: what it reads is copied, as a session would, and goes out at the turn's end. */

#include <stdlib.h>
#include <string.h>

#include "bench/micro/echo.h"
#include "core/listener.h"
#include "core/socket.h"

struct bytes {
        uint8_t *data;
        size_t size;
        size_t capacity;
};

struct peer {
        struct socket socket;
        struct bytes pending;
        struct bytes sending;
        struct iovec iov;
        struct deferred flush;
        bool ended;
};

static struct ring ring;
static struct buffers buffers, bulk;
static struct listener listener;

static void append(struct bytes *bytes, const void *data, size_t size)
{
        if (bytes->capacity - bytes->size < size) {
                bytes->capacity = 2 * bytes->capacity + size;
                bytes->data = realloc(bytes->data, bytes->capacity);
                if (!bytes->data)
                        abort();
        }
        memcpy(bytes->data + bytes->size, data, size);
        bytes->size += size;
}

static void on_flush(struct deferred *deferred)
{
        struct peer *peer = CONTAINER_OF(deferred, struct peer, flush);
        struct bytes spare = peer->sending;

        if (!socket_is_open(&peer->socket) || socket_is_sending(&peer->socket))
                return;
        if (peer->pending.size == 0) {
                if (peer->ended)
                        socket_close(&peer->socket);
                return;
        }
        peer->sending = peer->pending;
        peer->pending = spare;
        peer->pending.size = 0;
        peer->iov = (struct iovec){ peer->sending.data, peer->sending.size };
        /* awaited where its end lets more be read */
        socket_send(&peer->socket, &peer->iov, 1,
                peer->sending.size >= ECHO_PENDING_BYTES_MAX || peer->ended);
}

static void on_data(struct socket *socket, const unsigned char *bytes, size_t size)
{
        struct peer *peer = CONTAINER_OF(socket, struct peer, socket);

        append(&peer->pending, bytes, size);
        if (peer->pending.size >= ECHO_PENDING_BYTES_MAX)
                socket_pause(socket);
        ring_defer(&ring, &peer->flush, RING_FLUSH);
}

static void on_sent(struct socket *socket, int error)
{
        struct peer *peer = CONTAINER_OF(socket, struct peer, socket);

        if (error < 0) {
                socket_close(socket);
                return;
        }
        socket_resume(socket);
        ring_defer(&ring, &peer->flush, RING_FLUSH);
}

static void on_receive_end(struct socket *socket, int error)
{
        struct peer *peer = CONTAINER_OF(socket, struct peer, socket);

        (void)error;
        peer->ended = true;
        ring_defer(&ring, &peer->flush, RING_FLUSH);
}

static void on_closed(struct socket *socket)
{
        struct peer *peer = CONTAINER_OF(socket, struct peer, socket);

        ring_undefer(&peer->flush);
        free(peer->pending.data);
        free(peer->sending.data);
        free(peer);
}

static const struct socket_handler socket_handler = {
        .on_data = on_data,
        .on_receive_end = on_receive_end,
        .on_sent = on_sent,
        .on_closed = on_closed,
};

static void on_accept(struct listener *accepted_by, int fd, const struct endpoint *from)
{
        struct peer *peer = calloc(1, sizeof(*peer));

        (void)accepted_by;
        (void)from;
        if (!peer)
                abort();
        deferred_init(&peer->flush, on_flush);
        socket_init(&peer->socket, &ring, &buffers, fd, &socket_handler);
        socket_resume(&peer->socket);
}

static const struct listener_handler listener_handler = { .on_accept = on_accept };

void echo_serve_quoit(int listen_fd)
{
        struct buffers_options large = { .count = 1, .buffer_bytes = 256 << 10, .group = 1 };
        struct buffers_options small = { .bulk = &bulk };
        int r = ring_init(&ring, NULL);

        if (r == 0)
                r = buffers_init(&bulk, &ring, &large);
        if (r == 0)
                r = buffers_init(&buffers, &ring, &small);
        if (r == 0)
                listener_start(&listener, &ring, listen_fd, &listener_handler);
        while (r == 0)
                r = ring_turn(&ring, RING_FOREVER);
        echo_die("the ring", r);
}
