/* SPDX-License-Identifier: MIT */

/* The echo that most would write: epoll, level-triggered, recv and send at once. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/micro/echo.h"

#define EVENTS 256

struct peer {
        int fd;
        size_t size; /* of what the peer was slow to take */
        size_t sent; /* of that */
        uint8_t *left;
};

static uint8_t buffer[64 * 1024];

static void peer_watch(int epoll_fd, int operation, struct peer *peer, uint32_t events)
{
        struct epoll_event event = { .events = events, .data.ptr = peer };

        if (epoll_ctl(epoll_fd, operation, peer->fd, &event) < 0)
                echo_die("epoll_ctl", errno);
}

static void peer_free(struct peer *peer)
{
        close(peer->fd);
        free(peer->left);
        free(peer);
}

/* Ignores accept4()'s errors of single connections: a peer can close before it is accepted. */
static void on_accept(int epoll_fd, int listen_fd)
{
        int fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        struct peer *peer = fd >= 0 ? calloc(1, sizeof(*peer)) : NULL;

        if (fd < 0 && errno == ECONNABORTED)
                return;
        if (!peer)
                echo_die("accept", errno);
        peer->fd = fd;
        peer_watch(epoll_fd, EPOLL_CTL_ADD, peer, EPOLLIN);
}

/* How much went out, negative if the peer is gone. */
static ssize_t send_some(const struct peer *peer, const uint8_t *data, size_t size)
{
        ssize_t sent = send(peer->fd, data, size, MSG_NOSIGNAL);

        return sent < 0 && errno == EAGAIN ? 0 : sent;
}

static bool keep_rest(struct peer *peer, const uint8_t *data, size_t size)
{
        if (!peer->left)
                peer->left = malloc(sizeof(buffer));
        if (!peer->left)
                return false;
        memcpy(peer->left, data, size);
        peer->size = size;
        peer->sent = 0;
        return true;
}

static bool on_readable(int epoll_fd, struct peer *peer)
{
        ssize_t size = recv(peer->fd, buffer, sizeof(buffer), 0);
        ssize_t sent;

        if (size < 0 && errno == EAGAIN)
                return true;
        if (size <= 0)
                return false;
        sent = send_some(peer, buffer, (size_t)size);
        if (sent < 0)
                return false;
        if (sent == size)
                return true;
        peer_watch(epoll_fd, EPOLL_CTL_MOD, peer, EPOLLOUT);
        return keep_rest(peer, buffer + sent, (size_t)(size - sent));
}

static bool on_sendable(int epoll_fd, struct peer *peer)
{
        ssize_t sent = send_some(peer, peer->left + peer->sent, peer->size - peer->sent);

        if (sent < 0)
                return false;
        peer->sent += (size_t)sent;
        if (peer->sent == peer->size)
                peer_watch(epoll_fd, EPOLL_CTL_MOD, peer, EPOLLIN);
        return true;
}

void echo_serve_epoll(int listen_fd)
{
        struct epoll_event accepting = { .events = EPOLLIN };
        int epoll_fd = epoll_create1(EPOLL_CLOEXEC);

        if (epoll_fd < 0 || epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listen_fd, &accepting) < 0)
                echo_die("epoll", errno);
        for (;;) {
                struct epoll_event events[EVENTS];
                int count = epoll_wait(epoll_fd, events, EVENTS, -1);

                for (int i = 0; i < count; i++) {
                        struct peer *peer = events[i].data.ptr;
                        bool alive;

                        if (!peer) {
                                on_accept(epoll_fd, listen_fd);
                                continue;
                        }
                        alive = peer->sent < peer->size ? on_sendable(epoll_fd, peer)
                                                        : on_readable(epoll_fd, peer);
                        if (!alive)
                                peer_free(peer);
                }
        }
}
