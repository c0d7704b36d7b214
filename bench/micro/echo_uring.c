/* SPDX-License-Identifier: MIT */

/*
 * The fastest echo on io_uring: a multishot receive into provided buffers, and one gathered send a connection and turn from
 * these same buffers. Nothing is copied. Sends do not wait and skip their completion, so a message costs one io_uring_enter;
 * only bytes that a peer does not take at once are sent again, by a send that waits.
 */

#include <errno.h>
#include <liburing.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "bench/micro/echo.h"

/* Large ones: with 16 KiB each a bulk echo took a quarter more. */
#define BUFFERS 64u /* a power of two */
#define BUFFER_BYTES ((size_t)64 * 1024)
#define SQ_ENTRIES 1024
#define GROUP 0

struct peer {
        int fd;
        unsigned short ids[BUFFERS]; /* buffers that are to go back: a circle */
        uint32_t sizes[BUFFERS];
        unsigned first, count;
        unsigned sending;    /* of them, in flight: the first ones */
        size_t sending_done; /* bytes of these */
        struct iovec iov[BUFFERS];
        struct msghdr message;
        bool receiving, ended;
        bool slow; /* it did not take the last send at once: the next one waits for it */
        bool dirty;
        bool prompt; /* what is in flight was sent at once, unless a completion says that it was not */
        struct peer *next_starved; /* of buffers */
        struct peer *next_dirty; /* of those that have something to do at the end of the turn */
        struct peer *next_prompt;
};

enum kind { RECEIVE, SEND, KIND_MASK = 1 }; /* in a peer's address; an accept has none */

static struct {
        struct io_uring ring;
        struct io_uring_buf_ring *buffers;
        uint8_t *memory;
        int listen_fd;
        unsigned free; /* buffers that the kernel has */
        struct peer *starved;
        struct peer *dirty;
        struct peer *prompt;
        bool ending; /* one of these is to be closed next */
} server;

static struct io_uring_sqe *get_sqe(void)
{
        struct io_uring_sqe *sqe;

        while (!(sqe = io_uring_get_sqe(&server.ring))) {
                int r = io_uring_submit(&server.ring);

                if (r < 0)
                        echo_die("io_uring_submit", r);
        }
        return sqe;
}

static void start_accept(void)
{
        struct io_uring_sqe *sqe = get_sqe();

        io_uring_prep_multishot_accept(sqe, server.listen_fd, NULL, NULL, SOCK_CLOEXEC);
        io_uring_sqe_set_data64(sqe, 0);
}

static void start_receive(struct peer *peer)
{
        struct io_uring_sqe *sqe = get_sqe();

        io_uring_prep_recv_multishot(sqe, peer->fd, NULL, 0, 0);
        sqe->flags |= IOSQE_BUFFER_SELECT;
        sqe->buf_group = GROUP;
        io_uring_sqe_set_data64(sqe, (uintptr_t)peer | RECEIVE);
        peer->receiving = true;
}

static void start_send(struct peer *peer)
{
        struct io_uring_sqe *sqe = get_sqe();
        size_t skip = peer->sending_done;

        peer->sending = peer->count;
        for (unsigned i = 0; i < peer->count; i++) {
                unsigned at = (peer->first + i) % BUFFERS;

                peer->iov[i] = (struct iovec){
                        server.memory + peer->ids[at] * BUFFER_BYTES + skip,
                        peer->sizes[at] - skip,
                };
                skip = 0;
        }
        peer->message = (struct msghdr){ .msg_iov = peer->iov, .msg_iovlen = peer->sending };
        io_uring_prep_sendmsg(sqe, peer->fd, &peer->message,
                MSG_NOSIGNAL | MSG_WAITALL | (peer->slow ? 0 : MSG_DONTWAIT));
        io_uring_sqe_set_data64(sqe, (uintptr_t)peer | SEND);
        if (peer->slow)
                return;
        sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
        peer->prompt = true;
        server.ending |= peer->ended;
        peer->next_prompt = server.prompt;
        server.prompt = peer;
}

static void give_back(unsigned short id)
{
        io_uring_buf_ring_add(server.buffers, server.memory + id * BUFFER_BYTES, BUFFER_BYTES, id,
                io_uring_buf_ring_mask(BUFFERS), 0);
        io_uring_buf_ring_advance(server.buffers, 1);
        server.free++;
}

static void mark_dirty(struct peer *peer)
{
        if (peer->dirty)
                return;
        peer->dirty = true;
        peer->next_dirty = server.dirty;
        server.dirty = peer;
}

static void on_accept(int res, uint32_t flags)
{
        struct peer *peer;

        if (!(flags & IORING_CQE_F_MORE))
                start_accept();
        if (res == -ECONNABORTED)
                return;
        peer = res >= 0 ? calloc(1, sizeof(*peer)) : NULL;
        if (!peer)
                echo_die("accept", res < 0 ? res : ENOMEM);
        peer->fd = res;
        start_receive(peer);
}

static void on_receive(struct peer *peer, int res, uint32_t flags)
{
        peer->receiving = flags & IORING_CQE_F_MORE;
        if (flags & IORING_CQE_F_BUFFER) {
                server.free--;
                unsigned at = (peer->first + peer->count++) % BUFFERS;

                peer->ids[at] = (unsigned short)(flags >> IORING_CQE_BUFFER_SHIFT);
                peer->sizes[at] = (uint32_t)res;
        }
        if (!peer->receiving && res == -ENOBUFS) {
                peer->next_starved = server.starved;
                server.starved = peer;
        } else if (!peer->receiving && res > 0) {
                start_receive(peer);
        } else if (!peer->receiving) {
                peer->ended = true;
        }
        mark_dirty(peer);
}

/* @done bytes of what is in flight have gone out; all of it counts as done where the peer is gone. */
static void take_sent(struct peer *peer, size_t done, bool gone)
{
        done += peer->sending_done;
        while (peer->sending > 0 && (gone || done >= peer->sizes[peer->first])) {
                done -= gone ? 0 : peer->sizes[peer->first];
                give_back(peer->ids[peer->first]);
                peer->first = (peer->first + 1) % BUFFERS;
                peer->count--;
                peer->sending--;
        }
        peer->sending = 0; /* what a short send has left goes with the next */
        peer->sending_done = gone ? 0 : done;
        mark_dirty(peer);
}

static void on_send(struct peer *peer, int res)
{
        bool again = res > 0 || res == -EAGAIN;

        peer->slow = peer->prompt && again;
        peer->prompt = false;
        take_sent(peer, res > 0 ? (size_t)res : 0, !again);
}

/* The enter that submitted these has returned, and their failures were posted before anything else. */
static void take_prompt(void)
{
        struct peer *peer = server.prompt;

        server.prompt = NULL;
        for (; peer; peer = peer->next_prompt) {
                size_t bytes = 0;

                if (!peer->prompt)
                        continue;
                peer->prompt = false;
                for (unsigned i = 0; i < peer->sending; i++)
                        bytes += peer->iov[i].iov_len;
                take_sent(peer, bytes, false);
        }
}

static void flush(void)
{
        struct peer *peer;

        while ((peer = server.dirty)) {
                server.dirty = peer->next_dirty;
                peer->dirty = false;
                if (peer->sending > 0)
                        continue;
                if (peer->count > 0) {
                        start_send(peer);
                } else if (peer->ended) {
                        close(peer->fd);
                        free(peer);
                }
        }
}

/* Once buffers have come back. */
static void feed_starved(void)
{
        struct peer *peer = server.starved;

        if (server.free == 0)
                return;
        server.starved = NULL;
        while (peer) {
                struct peer *next = peer->next_starved;

                start_receive(peer);
                peer = next;
        }
}

static void turn(void)
{
        struct io_uring_cqe *cqe;
        unsigned head, count = 0;
        /* a prompt send has no completion: do not sleep while a peer waits for its buffers or its end */
        bool wait = !server.prompt || (!server.starved && !server.ending);
        int r = wait ? io_uring_submit_and_wait(&server.ring, 1)
                     : io_uring_submit_and_get_events(&server.ring);

        server.ending = false;
        if (r < 0 && r != -EINTR)
                echo_die("io_uring_enter", r);
        io_uring_for_each_cqe (&server.ring, head, cqe) {
                struct peer *peer =
                        (struct peer *)(uintptr_t)(cqe->user_data & ~(uint64_t)KIND_MASK);

                if (!peer) {
                        on_accept(cqe->res, cqe->flags);
                } else if ((cqe->user_data & KIND_MASK) == RECEIVE) {
                        on_receive(peer, cqe->res, cqe->flags);
                } else {
                        on_send(peer, cqe->res);
                }
                count++;
        }
        io_uring_cq_advance(&server.ring, count);
        take_prompt();
        feed_starved();
        flush();
}

void echo_serve_uring(int listen_fd)
{
        struct io_uring_params params = {
                .flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
                         IORING_SETUP_COOP_TASKRUN | IORING_SETUP_SUBMIT_ALL | IORING_SETUP_CQSIZE,
                .cq_entries = 4 * SQ_ENTRIES,
        };
        int r = io_uring_queue_init_params(SQ_ENTRIES, &server.ring, &params);

        if (r < 0)
                echo_die("io_uring_setup", r);
        (void)io_uring_register_ring_fd(&server.ring);
        server.memory = aligned_alloc(4096, BUFFERS * BUFFER_BYTES);
        server.buffers = io_uring_setup_buf_ring(&server.ring, BUFFERS, GROUP, 0, &r);
        if (!server.memory || !server.buffers)
                echo_die("io_uring_setup_buf_ring", r);
        for (unsigned short id = 0; id < BUFFERS; id++)
                give_back(id);
        server.listen_fd = listen_fd;
        start_accept();
        for (;;)
                turn();
}
