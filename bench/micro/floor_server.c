/* SPDX-License-Identifier: MIT */

/*
 * floor-server: the least that a server of unary calls can cost on io_uring. It answers every request
 * with the same bytes and reads nothing but frame headers (floor_session.h). One thread, a multishot
 * receive into provided buffers, one send a connection and one io_uring_enter a turn.
 *
 * Sends are MSG_DONTWAIT and skip their completion unless they fail: when the enter that submits them
 * returns they are through, so the wait in it is for the next request, and a lone call costs one
 * enter.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <liburing.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/micro/floor_session.h"

#define BUFFERS 256u /* a power of two */
#define BUFFER_BYTES ((size_t)16 * 1024)
#define SQ_ENTRIES 1024
#define CONNECTIONS_MAX 20000u
#define GROUP 0

/* What a completion is of: the low bits of its user data, the connection's index above them. */
enum kind { ACCEPT, RECEIVE, SEND, OTHER, KIND_BITS = 2 };

struct connection {
        struct floor_session session;
        struct floor_output output;
        struct floor_output stuck; /* what the peer was slow to take, in flight */
        size_t stuck_sent;
        bool dirty; /* in the list of those that have something to do at the end of the turn */
        bool sent;  /* the output has gone out, unless a completion says that it has not */
        bool ended; /* nothing comes in any more */
};

struct server {
        struct io_uring ring;
        struct io_uring_buf_ring *buffers;
        uint8_t *memory;
        int listen_fd;
        struct connection *connections; /* by direct descriptor */
        unsigned *dirty;
        unsigned dirty_count;
};

static void __attribute__((noreturn)) die(const char *what, int error)
{
        fprintf(stderr, "floor-server: %s: %s\n", what, strerror(error < 0 ? -error : error));
        exit(EXIT_FAILURE);
}

/* ---- operations ---- */

/* Submits early if the queue has no room for @count in one piece. */
static void reserve_sqes(struct server *server, unsigned count)
{
        while (io_uring_sq_space_left(&server->ring) < count) {
                int r = io_uring_submit(&server->ring);

                if (r < 0)
                        die("io_uring_submit", r);
        }
}

/* To be prepared by the caller, who sets its data afterwards. */
static struct io_uring_sqe *get_sqe(struct server *server)
{
        reserve_sqes(server, 1);
        return io_uring_get_sqe(&server->ring);
}

static void set_data(struct io_uring_sqe *sqe, enum kind kind, unsigned index)
{
        io_uring_sqe_set_data64(sqe, (uint64_t)index << KIND_BITS | kind);
}

static void start_accept(struct server *server)
{
        struct io_uring_sqe *sqe = get_sqe(server);

        io_uring_prep_multishot_accept_direct(sqe, server->listen_fd, NULL, NULL, 0);
        set_data(sqe, ACCEPT, 0);
}

static void start_receive(struct server *server, unsigned index)
{
        struct io_uring_sqe *sqe = get_sqe(server);

        io_uring_prep_recv_multishot(sqe, (int)index, NULL, 0, 0);
        sqe->flags |= IOSQE_BUFFER_SELECT | IOSQE_FIXED_FILE;
        sqe->buf_group = GROUP;
        set_data(sqe, RECEIVE, index);
}

static void start_send(struct server *server, unsigned index)
{
        struct connection *connection = server->connections + index;
        struct floor_output *output = &connection->output;
        struct io_uring_sqe *sqe = get_sqe(server);

        connection->sent = true;
        io_uring_prep_send(sqe, (int)index, output->bytes, output->size,
                MSG_NOSIGNAL | MSG_WAITALL | MSG_DONTWAIT);
        sqe->flags |= IOSQE_FIXED_FILE | IOSQE_CQE_SKIP_SUCCESS;
        if (connection->ended)
                sqe->flags |= IOSQE_IO_LINK; /* the close comes next: not if this fails */
        set_data(sqe, SEND, index);
}

/* The rest of a send that could not be done at once: this one waits for the peer. */
static void start_stuck_send(struct server *server, unsigned index)
{
        struct connection *connection = server->connections + index;
        struct io_uring_sqe *sqe = get_sqe(server);

        io_uring_prep_send(sqe, (int)index, connection->stuck.bytes + connection->stuck_sent,
                connection->stuck.size - connection->stuck_sent, MSG_NOSIGNAL | MSG_WAITALL);
        sqe->flags |= IOSQE_FIXED_FILE;
        set_data(sqe, SEND, index);
}

/* Its receive then ends. */
static void start_shutdown(struct server *server, unsigned index)
{
        struct io_uring_sqe *sqe = get_sqe(server);

        io_uring_prep_shutdown(sqe, (int)index, SHUT_RDWR);
        sqe->flags |= IOSQE_FIXED_FILE;
        set_data(sqe, OTHER, index);
}

static void start_close(struct server *server, unsigned index)
{
        struct io_uring_sqe *sqe = get_sqe(server);

        io_uring_prep_close_direct(sqe, index);
        set_data(sqe, OTHER, index);
}

/* ---- completions ---- */

static void mark_dirty(struct server *server, unsigned index)
{
        struct connection *connection = server->connections + index;

        if (connection->dirty || connection->stuck.size > 0)
                return; /* what is stuck goes first, and then comes back here */
        connection->dirty = true;
        server->dirty[server->dirty_count++] = index;
}

static void on_accept(struct server *server, int res, uint32_t flags)
{
        struct connection *connection;

        if (!(flags & IORING_CQE_F_MORE))
                start_accept(server);
        if (res < 0) {
                fprintf(stderr, "floor-server: accept: %s\n", strerror(-res));
                return;
        }
        connection = server->connections + res;
        floor_output_deinit(&connection->output);
        floor_output_deinit(&connection->stuck);
        *connection = (struct connection){};
        floor_session_open(&connection->output);
        mark_dirty(server, (unsigned)res);
        start_receive(server, (unsigned)res);
}

static void feed(struct server *server, unsigned index, const uint8_t *bytes, size_t size)
{
        struct connection *connection = server->connections + index;

        if (connection->sent)
                connection->output.size = 0;
        connection->sent = false;
        if (!floor_session_feed(&connection->session, bytes, size, &connection->output))
                start_shutdown(server, index);
        if (connection->output.size > 0)
                mark_dirty(server, index);
}

static void on_receive(struct server *server, unsigned index, int res, uint32_t flags)
{
        if (flags & IORING_CQE_F_BUFFER) {
                unsigned short id = (unsigned short)(flags >> IORING_CQE_BUFFER_SHIFT);
                uint8_t *bytes = server->memory + id * BUFFER_BYTES;

                if (res > 0)
                        feed(server, index, bytes, (size_t)res);
                io_uring_buf_ring_add(server->buffers, bytes, BUFFER_BYTES, id,
                        io_uring_buf_ring_mask(BUFFERS), 0);
                io_uring_buf_ring_advance(server->buffers, 1);
        }
        if (flags & IORING_CQE_F_MORE)
                return;
        if (res > 0 || res == -ENOBUFS) {
                start_receive(server, index);
                return;
        }
        server->connections[index].ended = true;
        mark_dirty(server, index);
}

/*
 * A send that failed, did a part only, or was stuck before. What a turn sent and did not get through
 * comes here before anything else of its connection: the enter that submits it posts this first.
 */
static void on_send(struct server *server, unsigned index, int res)
{
        struct connection *connection = server->connections + index;

        if (connection->stuck.size == 0) {
                struct floor_output spare = connection->stuck;

                connection->stuck = connection->output;
                connection->stuck_sent = 0;
                connection->output = spare;
                connection->sent = false;
        }
        if (res > 0)
                connection->stuck_sent += (size_t)res;
        if (connection->stuck_sent < connection->stuck.size && (res > 0 || res == -EAGAIN)) {
                start_stuck_send(server, index);
                return;
        }
        connection->stuck.size =
                0; /* it is done, or the peer has gone, which receiving reports too */
        mark_dirty(server, index);
}

static void flush(struct server *server)
{
        for (unsigned i = 0; i < server->dirty_count; i++) {
                struct connection *connection = server->connections + server->dirty[i];

                connection->dirty = false;
                reserve_sqes(server, 2);
                if (connection->output.size > 0 && !connection->sent)
                        start_send(server, server->dirty[i]);
                if (connection->ended)
                        start_close(server, server->dirty[i]);
        }
        server->dirty_count = 0;
}

static void turn(struct server *server)
{
        struct io_uring_cqe *cqe;
        unsigned head, count = 0;
        int r = io_uring_submit_and_wait(&server->ring, 1);

        if (r < 0 && r != -EINTR)
                die("io_uring_enter", r);
        io_uring_for_each_cqe (&server->ring, head, cqe) {
                unsigned index = (unsigned)(cqe->user_data >> KIND_BITS);

                switch ((enum kind)(cqe->user_data & ((1 << KIND_BITS) - 1))) {
                case ACCEPT:
                        on_accept(server, cqe->res, cqe->flags);
                        break;
                case RECEIVE:
                        on_receive(server, index, cqe->res, cqe->flags);
                        break;
                case SEND:
                        on_send(server, index, cqe->res);
                        break;
                default:
                        break;
                }
                count++;
        }
        io_uring_cq_advance(&server->ring, count);
        flush(server);
}

/* ---- set-up ---- */

static int listen_on(uint16_t port)
{
        struct sockaddr_in address = {
                .sin_family = AF_INET,
                .sin_port = htons(port),
                .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
        };
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        int one = 1;

        if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
                setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) < 0 ||
                bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 4096) < 0)
                die("listen", errno);
        return fd;
}

/* How many direct descriptors there may be: as many as the process may have of the other kind. */
static unsigned descriptors_max(void)
{
        struct rlimit limit;

        if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
                die("getrlimit", errno);
        limit.rlim_cur = limit.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
                die("setrlimit", errno);
        return limit.rlim_cur < CONNECTIONS_MAX ? (unsigned)limit.rlim_cur : CONNECTIONS_MAX;
}

static void server_init(struct server *server, uint16_t port)
{
        struct io_uring_params params = {
                .flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
                         IORING_SETUP_COOP_TASKRUN | IORING_SETUP_SUBMIT_ALL | IORING_SETUP_CQSIZE,
                .cq_entries = 4 * SQ_ENTRIES,
        };
        unsigned descriptors = descriptors_max();
        int r;

        *server = (struct server){ .listen_fd = listen_on(port) };
        server->connections = calloc(CONNECTIONS_MAX, sizeof(*server->connections));
        server->dirty = calloc(CONNECTIONS_MAX, sizeof(*server->dirty));
        server->memory = aligned_alloc(4096, BUFFERS * BUFFER_BYTES);
        if (!server->connections || !server->dirty || !server->memory)
                die("set-up", ENOMEM);
        r = io_uring_queue_init_params(SQ_ENTRIES, &server->ring, &params);
        if (r < 0)
                die("io_uring_setup", r);
        (void)io_uring_register_ring_fd(&server->ring);
        r = io_uring_register_files_sparse(&server->ring, descriptors);
        if (r < 0)
                die("io_uring_register_files", r);
        server->buffers = io_uring_setup_buf_ring(&server->ring, BUFFERS, GROUP, 0, &r);
        if (!server->buffers)
                die("io_uring_setup_buf_ring", r);
        for (unsigned id = 0; id < BUFFERS; id++)
                io_uring_buf_ring_add(server->buffers, server->memory + id * BUFFER_BYTES,
                        BUFFER_BYTES, (unsigned short)id, io_uring_buf_ring_mask(BUFFERS), (int)id);
        io_uring_buf_ring_advance(server->buffers, BUFFERS);
        start_accept(server);
}

int main(int argc, char **argv)
{
        static const char usage[] =
                "usage: floor-server PORT\n"
                "\n"
                "Answers every unary call on 127.0.0.1:PORT with {message: \"Hello World!\"}, for "
                "the\n"
                "least that io_uring and TCP can do it for. Runs until it is killed.\n";
        struct server server;
        char *end = NULL;
        unsigned long port;

        if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
                fputs(usage, stdout);
                return EXIT_SUCCESS;
        }
        port = argc == 2 ? strtoul(argv[1], &end, 10) : 0;
        if (!end || *end || port == 0 || port > UINT16_MAX) {
                fputs("floor-server: needs a port from 1 to 65535; see floor-server --help\n",
                        stderr);
                return 2;
        }
        server_init(&server, (uint16_t)port);
        for (;;)
                turn(&server);
}
