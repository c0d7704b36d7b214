/* SPDX-License-Identifier: MIT */
#include "harness.h"

#include "core/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/ioctl.h>

#define MIB ((size_t)1 << 20)

/* One end under test, and what it saw. */
struct end {
        struct socket socket;
        unsigned char *received;
        size_t received_size, received_max;
        unsigned data_calls, sent_calls, closed_calls, end_calls;
        int sent_error, end_error;
        void (*react)(struct end *end); /* in on_data, after counting */
};

static void on_data(struct socket *socket, const unsigned char *bytes, size_t size)
{
        struct end *end = CONTAINER_OF(socket, struct end, socket);

        assert_int_equal(end->closed_calls + end->end_calls, 0);
        assert_true(socket_is_open(socket));
        assert_true(size > 0 && end->received_size + size <= end->received_max);
        memcpy(end->received + end->received_size, bytes, size);
        end->received_size += size;
        end->data_calls++;
        if (end->react)
                end->react(end);
}

static void on_receive_end(struct socket *socket, int error)
{
        struct end *end = CONTAINER_OF(socket, struct end, socket);

        assert_int_equal(end->closed_calls, 0);
        assert_true(socket_is_open(socket));
        end->end_calls++;
        end->end_error = error;
}

static void on_sent(struct socket *socket, int error)
{
        struct end *end = CONTAINER_OF(socket, struct end, socket);

        assert_int_equal(end->closed_calls, 0);
        assert_false(socket_is_sending(socket));
        end->sent_calls++;
        end->sent_error = error;
}

static void on_closed(struct socket *socket)
{
        struct end *end = CONTAINER_OF(socket, struct end, socket);

        assert_false(socket_is_sending(socket));
        assert_int_equal(socket->in_flight, 0);
        end->closed_calls++;
}

static const struct socket_handler handler = {
        .on_data = on_data,
        .on_receive_end = on_receive_end,
        .on_sent = on_sent,
        .on_closed = on_closed,
};

/* On the heap, so that AddressSanitizer sees every touch after the end. */
static struct end *end_new(struct ring *ring, struct buffers *buffers, int fd, size_t received_max)
{
        struct end *end = calloc(1, sizeof(*end));

        assert_non_null(end);
        end->received = malloc(received_max);
        end->received_max = received_max;
        socket_init(&end->socket, ring, buffers, fd, &handler);
        socket_resume(&end->socket);
        return end;
}

static void end_free(struct end *end)
{
        socket_close(&end->socket);
        TURN_UNTIL(end->socket.ring, end->closed_calls > 0);
        assert_int_equal(end->closed_calls, 1);
        free(end->received);
        free(end);
}

struct fixture {
        struct ring ring;
        struct buffers buffers;
};

static void fixture_init_ring(struct fixture *fixture, const struct buffers_options *options,
        const struct ring_options *ring_options)
{
        assert_int_equal(start_ring(&fixture->ring, ring_options), 0);
        assert_int_equal(buffers_init(&fixture->buffers, &fixture->ring, options), 0);
}

static void fixture_init(struct fixture *fixture, const struct buffers_options *options)
{
        fixture_init_ring(fixture, options, NULL);
}

static void fixture_deinit(struct fixture *fixture)
{
        buffers_deinit(&fixture->buffers);
        ring_deinit(&fixture->ring);
}

static void pair_unix(int fds[2])
{
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
}

static void pair_tcp(int fds[2])
{
        struct sockaddr_in address = { .sin_family = AF_INET,
                .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        socklen_t size = sizeof(address);
        int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
        assert_int_equal(listen(listener, 1), 0);
        assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
        fds[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(connect(fds[0], (struct sockaddr *)&address, size), 0);
        fds[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        assert_true(fds[1] >= 0);
        close(listener);
}

static unsigned char *noise(size_t size)
{
        unsigned char *bytes = malloc(size);
        uint32_t value = 1;

        assert_non_null(bytes);
        for (size_t i = 0; i < size; i++) {
                value = value * 1664525 + 1013904223;
                bytes[i] = (unsigned char)(value >> 24);
        }
        return bytes;
}

/* Cuts @bytes into iovecs of uneven sizes, empty ones among them. */
static size_t cut(unsigned char *bytes, size_t size, struct iovec *iovecs, size_t count_max)
{
        size_t count = 0, piece = 0;

        while (size > 0 && count < count_max) {
                size_t now = count + 1 == count_max || piece > size ? size : piece;

                iovecs[count++] = (struct iovec){ bytes, now };
                bytes += now;
                size -= now;
                piece = (piece * 7 + 13) % 9973;
        }
        return count;
}

static void exchange(int fds[2], bool awaited)
{
        enum { COUNT = 300 };
        struct fixture fixture;
        unsigned char *bytes[2] = { noise(MIB), noise(MIB) };
        struct iovec iovecs[2][COUNT];
        struct end *ends[2];

        fixture_init(&fixture, NULL);
        memset(bytes[1], 'b', 1000);
        for (unsigned i = 0; i < 2; i++)
                ends[i] = end_new(&fixture.ring, &fixture.buffers, fds[i], MIB);
        for (unsigned i = 0; i < 2; i++)
                socket_send(
                        &ends[i]->socket, iovecs[i], cut(bytes[i], MIB, iovecs[i], COUNT), awaited);
        TURN_UNTIL(&fixture.ring, ends[0]->received_size == MIB && ends[1]->received_size == MIB);
        for (unsigned i = 0; i < 2; i++) {
                assert_memory_equal(ends[i]->received, bytes[!i], MIB);
                TURN_UNTIL(&fixture.ring, ends[i]->sent_calls == 1);
                assert_int_equal(ends[i]->sent_error, 0);
        }
        for (unsigned i = 0; i < 2; i++) {
                end_free(ends[i]);
                free(bytes[i]);
        }
        assert_int_equal(fixture.ring.stats.submits_extra, 0);
        fixture_deinit(&fixture);
}

static void test_a_mebibyte_both_ways(void **state)
{
        int fds[2];

        (void)state;
        for (unsigned awaited = 0; awaited < 2; awaited++) {
                pair_unix(fds);
                exchange(fds, awaited);
                pair_tcp(fds);
                exchange(fds, awaited);
        }
}

/* --- slow readers --- */

static void send_to_slow_reader(size_t iovecs_max, bool awaited)
{
        enum { SIZE = 1 << 20 };
        struct fixture fixture;
        struct iovec *iovecs = calloc(iovecs_max, sizeof(*iovecs));
        unsigned char *bytes = noise(SIZE), *got = malloc(SIZE);
        int small = 4096, fds[2];
        size_t got_size = 0;
        struct end *end;

        fixture_init(&fixture, NULL);
        pair_tcp(fds);
        assert_int_equal(setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)), 0);
        end = end_new(&fixture.ring, &fixture.buffers, fds[0], 1);
        socket_send(&end->socket, iovecs, cut(bytes, SIZE, iovecs, iovecs_max), awaited);
        turn_for(&fixture.ring, 20 * MS);
        assert_int_equal(end->sent_calls, 0);
        while (got_size < SIZE) {
                ssize_t size = recv(fds[1], got + got_size,
                        SIZE - got_size > 50000 ? 50000 : SIZE - got_size, MSG_DONTWAIT);

                if (size > 0)
                        got_size += (size_t)size;
                assert_true(size > 0 || errno == EAGAIN);
                assert_int_equal(ring_turn(&fixture.ring, MS), 0);
        }
        TURN_UNTIL(&fixture.ring, end->sent_calls == 1);
        assert_int_equal(end->sent_error, 0);
        assert_memory_equal(got, bytes, SIZE);
        end_free(end);
        close(fds[1]);
        free(iovecs);
        free(bytes);
        free(got);
        fixture_deinit(&fixture);
}

static void test_slow_reader_gets_all(void **state)
{
        (void)state;
        for (unsigned awaited = 0; awaited < 2; awaited++) {
                send_to_slow_reader(2, awaited);
                send_to_slow_reader(1000, awaited);
        }
}

/* --- buffers run out --- */

static void test_starved_sockets_share(void **state)
{
        enum { SOCKETS = 8, SIZE = 64 * 1024 };
        struct buffers_options options = { .count = 2, .buffer_bytes = 1024 };
        struct fixture fixture;
        unsigned char *bytes = noise(SIZE);
        struct end *ends[SOCKETS];
        size_t slowest = 0;
        int fds[SOCKETS][2];

        (void)state;
        fixture_init(&fixture, &options);
        for (unsigned i = 0; i < SOCKETS; i++) {
                pair_unix(fds[i]);
                ends[i] = end_new(&fixture.ring, &fixture.buffers, fds[i][0], SIZE);
                /* The last one stays silent: waiting for data, it must not keep buffers from the
                 * others. */
                if (i + 1 < SOCKETS)
                        assert_int_equal(write(fds[i][1], bytes, SIZE), SIZE);
        }
        /* Fair: they advance side by side. */
        while (slowest < SIZE) {
                size_t fastest = 0;

                assert_int_equal(ring_turn(&fixture.ring, 5 * SECOND), 0);
                slowest = SIZE;
                for (unsigned i = 0; i + 1 < SOCKETS; i++) {
                        fastest =
                                ends[i]->received_size > fastest ? ends[i]->received_size : fastest;
                        slowest =
                                ends[i]->received_size < slowest ? ends[i]->received_size : slowest;
                }
                assert_true(fastest - slowest <= 4 * options.buffer_bytes);
        }
        assert_true(fixture.buffers.exhausted > 0);
        assert_int_equal(fixture.buffers.borrowed, 0);
        assert_int_equal(write(fds[SOCKETS - 1][1], bytes, 100), 100);
        TURN_UNTIL(&fixture.ring, ends[SOCKETS - 1]->received_size == 100);
        for (unsigned i = 0; i < SOCKETS; i++) {
                if (i + 1 < SOCKETS)
                        assert_memory_equal(ends[i]->received, bytes, SIZE);
                end_free(ends[i]);
                close(fds[i][1]);
        }
        free(bytes);
        fixture_deinit(&fixture);
}

static void test_close_and_pause_while_waiting_for_buffers(void **state)
{
        enum { SOCKETS = 8, SIZE = 16 * 1024 };
        struct buffers_options options = { .count = 1, .buffer_bytes = 512 };
        struct fixture fixture;
        unsigned char *bytes = noise(SIZE);
        struct end *ends[SOCKETS];
        unsigned waited = 0;
        int fds[SOCKETS][2];

        (void)state;
        fixture_init(&fixture, &options);
        for (unsigned i = 0; i < SOCKETS; i++) {
                pair_unix(fds[i]);
                ends[i] = end_new(&fixture.ring, &fixture.buffers, fds[i][0], SIZE);
                assert_int_equal(write(fds[i][1], bytes, SIZE), SIZE);
        }
        for (unsigned turn = 0; turn < 3; turn++)
                assert_int_equal(ring_turn(&fixture.ring, SECOND), 0);
        for (unsigned i = 0; i < SOCKETS; i += 2) {
                waited += ends[i]->socket.receive == SOCKET_RECEIVE_WAITING;
                socket_close(&ends[i]->socket);
        }
        for (unsigned i = 1; i < SOCKETS; i += 2) {
                waited += ends[i]->socket.receive == SOCKET_RECEIVE_WAITING;
                socket_pause(&ends[i]->socket);
        }
        assert_true(waited > 0);
        turn_for(&fixture.ring, 10 * MS);
        assert_true(list_is_empty(&fixture.buffers.waiters));
        for (unsigned i = 1; i < SOCKETS; i += 2) {
                socket_resume(&ends[i]->socket);
                TURN_UNTIL(&fixture.ring, ends[i]->received_size == SIZE);
        }
        for (unsigned i = 0; i < SOCKETS; i++) {
                end_free(ends[i]);
                close(fds[i][1]);
        }
        free(bytes);
        fixture_deinit(&fixture);
}

/* --- the ends of a connection --- */

static void close_while_sending(bool awaited)
{
        struct fixture fixture;
        unsigned char *bytes = noise(16 * MIB);
        struct iovec iovecs[2] = { { bytes, 8 * MIB }, { bytes, 8 * MIB } };
        char rest[1024];
        struct end *end;
        int fds[2];

        fixture_init(&fixture, NULL);
        pair_tcp(fds);
        end = end_new(&fixture.ring, &fixture.buffers, fds[0], MIB);
        socket_send(&end->socket, iovecs, 2, awaited);
        turn_for(&fixture.ring, 10 * MS);
        assert_true(socket_is_sending(&end->socket));
        /* Data that comes between the close and the cancel is dropped. */
        assert_int_equal(write(fds[1], bytes, 100), 100);
        socket_close(&end->socket);
        socket_close(&end->socket);
        assert_int_equal(end->sent_calls + end->closed_calls, 0);
        TURN_UNTIL(&fixture.ring, end->closed_calls > 0);
        assert_int_equal(end->sent_calls, 1);
        assert_true(end->sent_error < 0);
        assert_int_equal(end->data_calls, 0);
        assert_int_equal(end->end_calls, 0);
        assert_int_equal(fixture.buffers.borrowed, 0);
        while (read(fds[1], rest, sizeof(rest)) >
                0) /* the descriptor is closed indeed: this ends */
                ;
        end_free(end);
        close(fds[1]);
        free(bytes);
        fixture_deinit(&fixture);
}

static void test_close_ends_receive_and_send(void **state)
{
        (void)state;
        close_while_sending(false);
        close_while_sending(true);
}

/* Sent and closed within a turn: the kernel sees both at once. */
static void test_close_right_behind_a_send(void **state)
{
        struct fixture fixture;
        char word[] = "word";
        struct iovec iovec;
        struct end *end;
        int fds[2];

        (void)state;
        fixture_init(&fixture, NULL);
        for (unsigned awaited = 0; awaited < 2; awaited++) {
                pair_tcp(fds);
                end = end_new(&fixture.ring, &fixture.buffers, fds[0], MIB);
                turn_for(&fixture.ring, MS);
                iovec = (struct iovec){ word, 4 };
                socket_send(&end->socket, &iovec, 1, awaited);
                socket_close(&end->socket);
                TURN_UNTIL(&fixture.ring, end->closed_calls > 0);
                assert_int_equal(end->sent_calls, 1);
                end_free(end);
                close(fds[1]);
        }
        fixture_deinit(&fixture);
}

/* --- sends that nobody awaits --- */

static void test_an_unawaited_send_costs_no_turn(void **state)
{
        enum { ROUNDS = 1000 };
        struct fixture fixture;
        char word[] = "word", got[4];
        uint64_t enters, completions;
        struct end *end;
        int fds[2];

        (void)state;
        fixture_init(&fixture, NULL);
        pair_tcp(fds);
        end = end_new(&fixture.ring, &fixture.buffers, fds[0], MIB);
        turn_for(&fixture.ring, MS);
        enters = ring_enters(&fixture.ring);
        completions = fixture.ring.stats.completions;
        for (unsigned round = 0; round < ROUNDS; round++) {
                struct iovec iovec = { word, 4 };

                assert_int_equal(write(fds[1], "x", 1), 1);
                assert_int_equal(ring_turn(&fixture.ring, SECOND), 0);
                assert_int_equal(end->received_size, round + 1);
                assert_int_equal(end->sent_calls, round); /* the last one's */
                socket_send(&end->socket, &iovec, 1, false);
                assert_true(socket_is_sending(&end->socket));
        }
        assert_int_equal(ring_enters(&fixture.ring) - enters, ROUNDS);
        assert_int_equal(fixture.ring.stats.completions - completions, ROUNDS);
        assert_int_equal(ring_turn(&fixture.ring, 0), 0);
        assert_int_equal(end->sent_calls, ROUNDS);
        for (unsigned round = 0; round < ROUNDS; round++)
                assert_int_equal(recv(fds[1], got, sizeof(got), MSG_WAITALL), 4);
        end_free(end);
        close(fds[1]);
        fixture_deinit(&fixture);
}

static void test_an_unawaited_send_fails_aloud(void **state)
{
        struct linger linger = { .l_onoff = 1, .l_linger = 0 };
        struct fixture fixture;
        char word[] = "word";
        struct iovec iovec = { word, 4 };
        struct end *end;
        int fds[2];

        (void)state;
        fixture_init(&fixture, NULL);
        pair_tcp(fds);
        end = end_new(&fixture.ring, &fixture.buffers, fds[0], MIB);
        setsockopt(fds[1], SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
        close(fds[1]);
        socket_send(&end->socket, &iovec, 1, false);
        TURN_UNTIL(&fixture.ring, end->sent_calls > 0);
        assert_true(end->sent_error == -ECONNRESET || end->sent_error == -EPIPE);
        end_free(end);
        fixture_deinit(&fixture);
}

static void react_close(struct end *end)
{
        socket_close(&end->socket);
}

static void test_close_from_on_data(void **state)
{
        struct buffers_options options = { .count = 16, .buffer_bytes = 512 };
        struct fixture fixture;
        unsigned char *bytes = noise(8192);
        struct end *end;
        int fds[2];

        (void)state;
        fixture_init(&fixture, &options);
        pair_unix(fds);
        assert_int_equal(write(fds[1], bytes, 8192), 8192);
        end = end_new(&fixture.ring, &fixture.buffers, fds[0], MIB);
        end->react = react_close;
        TURN_UNTIL(&fixture.ring, end->closed_calls > 0);
        assert_int_equal(end->data_calls, 1);
        end_free(end);
        close(fds[1]);
        free(bytes);
        fixture_deinit(&fixture);
}

static void test_peer_half_closes_and_we_answer(void **state)
{
        struct fixture fixture;
        char answer[] = "answer", got[16];
        struct iovec iovec = { answer, 6 };
        struct end *end;
        int fds[2];

        (void)state;
        fixture_init(&fixture, NULL);
        pair_tcp(fds);
        end = end_new(&fixture.ring, &fixture.buffers, fds[0], MIB);
        assert_int_equal(write(fds[1], "question", 8), 8);
        shutdown(fds[1], SHUT_WR);
        TURN_UNTIL(&fixture.ring, end->end_calls > 0);
        assert_int_equal(end->end_error, 0);
        assert_memory_equal(end->received, "question", 8);
        socket_resume(&end->socket); /* no-op: it is over */
        socket_pause(&end->socket);
        socket_send(&end->socket, &iovec, 1, true);
        TURN_UNTIL(&fixture.ring, end->sent_calls > 0);
        assert_int_equal(end->sent_error, 0);
        socket_half_close(&end->socket);
        assert_int_equal(recv(fds[1], got, sizeof(got), MSG_WAITALL), 6);
        assert_memory_equal(got, "answer", 6);
        assert_int_equal(end->end_calls, 1);
        end_free(end);
        close(fds[1]);
        fixture_deinit(&fixture);
}

static void test_peer_resets(void **state)
{
        struct fixture fixture;
        struct linger linger = { .l_onoff = 1, .l_linger = 0 };
        unsigned char *bytes = noise(16 * MIB);
        struct iovec iovec = { bytes, 16 * MIB };
        struct end *end;
        int fds[2];

        (void)state;
        fixture_init(&fixture, NULL);
        pair_tcp(fds);
        end = end_new(&fixture.ring, &fixture.buffers, fds[0], MIB);
        socket_send(&end->socket, &iovec, 1, true);
        turn_for(&fixture.ring, 10 * MS);
        setsockopt(fds[1], SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
        close(fds[1]);
        /* One of the two gets the reset, the other what follows from it: neither is left
         * hanging, no SIGPIPE. */
        TURN_UNTIL(&fixture.ring, end->end_calls > 0 && end->sent_calls > 0);
        assert_true(end->sent_error == -ECONNRESET || end->sent_error == -EPIPE ||
                    end->sent_error == -ECANCELED);
        assert_true(end->end_error == -ECONNRESET || end->end_error == 0);
        end_free(end);
        free(bytes);
        fixture_deinit(&fixture);
}

/* --- reads that stop short --- */

static void send_with_descriptor(int fd, const char *word)
{
        struct iovec iovec = { (void *)word, strlen(word) };
        union {
                struct cmsghdr head;
                char space[CMSG_SPACE(sizeof(int))];
        } control = { .head = { .cmsg_len = CMSG_LEN(sizeof(int)),
                              .cmsg_level = SOL_SOCKET,
                              .cmsg_type = SCM_RIGHTS } };
        struct msghdr message = { .msg_iov = &iovec,
                .msg_iovlen = 1,
                .msg_control = &control,
                .msg_controllen = sizeof(control) };

        assert_int_equal(sendmsg(fd, &message, 0), strlen(word));
}

/* In front of urgent data, behind a descriptor: what follows is there already, and nothing will tell of it. */
static void test_a_read_that_stops_short_is_not_the_end(void **state)
{
        struct fixture fixture;
        struct end *end;
        int fds[2];

        (void)state;
        fixture_init(&fixture, NULL);
        for (unsigned tcp = 0; tcp < 2; tcp++) {
                if (tcp)
                        pair_tcp(fds);
                else
                        pair_unix(fds);
                end = end_new(&fixture.ring, &fixture.buffers, fds[0], 16);
                turn_for(&fixture.ring, MS);
                if (tcp) {
                        assert_int_equal(write(fds[1], "ab", 2), 2);
                        assert_int_equal(send(fds[1], "!", 1, MSG_OOB), 1);
                } else {
                        send_with_descriptor(fds[1], "ab");
                }
                assert_int_equal(write(fds[1], "cd", 2), 2);
                TURN_UNTIL(&fixture.ring, end->received_size == 4);
                assert_memory_equal(end->received, "abcd", 4);
                end_free(end);
                close(fds[1]);
        }
        fixture_deinit(&fixture);
}

/* --- backpressure --- */

static void react_pause(struct end *end)
{
        socket_pause(&end->socket);
}

static void test_pause_stops_and_resume_goes_on(void **state)
{
        enum { SIZE = 128 * 1024 };
        struct buffers_options options = { .count = 64, .buffer_bytes = 512 };
        struct fixture fixture;
        unsigned char *bytes = noise(SIZE);
        size_t before;
        struct end *end;
        int fds[2];

        (void)state;
        fixture_init(&fixture, &options);
        pair_unix(fds);
        assert_int_equal(write(fds[1], bytes, SIZE), SIZE);
        end = end_new(&fixture.ring, &fixture.buffers, fds[0], SIZE);
        end->react = react_pause;
        turn_for(&fixture.ring, 20 * MS);
        before = end->received_size;
        assert_true(before > 0 && before <= 64 * 512);
        turn_for(&fixture.ring, 20 * MS);
        assert_int_equal(end->received_size, before);
        assert_int_equal(end->socket.in_flight, 0); /* a paused socket costs the kernel nothing */

        /* Each round brings a bounded piece. */
        for (unsigned round = 0; end->received_size < SIZE; round++) {
                assert_true(round <= SIZE / 512);
                before = end->received_size;
                socket_resume(&end->socket);
                TURN_UNTIL(&fixture.ring, end->received_size > before);
        }
        assert_memory_equal(end->received, bytes, SIZE);
        end_free(end);
        close(fds[1]);
        free(bytes);
        fixture_deinit(&fixture);
}

static void test_pause_and_resume_at_once(void **state)
{
        enum { SIZE = 64 * 1024 };
        struct buffers_options options = { .count = 4, .buffer_bytes = 512 };
        struct fixture fixture;
        unsigned char *bytes = noise(SIZE);
        unsigned seed = 3;
        struct end *end;
        int fds[2];

        (void)state;
        fixture_init(&fixture, &options);
        pair_unix(fds);
        end = end_new(&fixture.ring, &fixture.buffers, fds[0], SIZE);
        assert_int_equal(write(fds[1], bytes, SIZE), SIZE);
        for (unsigned turn = 0; turn < 200; turn++) {
                for (unsigned i = (unsigned)rand_r(&seed) % 8; i > 0; i--) {
                        if (rand_r(&seed) % 2)
                                socket_pause(&end->socket);
                        else
                                socket_resume(&end->socket);
                }
                assert_int_equal(ring_turn(&fixture.ring, 0), 0);
        }
        socket_resume(&end->socket);
        TURN_UNTIL(&fixture.ring, end->received_size == SIZE);
        assert_memory_equal(end->received, bytes, SIZE);
        socket_pause(&end->socket);
        socket_resume(&end->socket);
        socket_close(&end->socket);
        end_free(end);
        close(fds[1]);
        free(bytes);
        fixture_deinit(&fixture);
}

/* @bulk_bytes: of a large buffer; 0: there are none. */
static void flood(size_t bulk_bytes)
{
        struct buffers bulk;
        struct buffers_options bulk_options = {
                .count = 4, .buffer_bytes = bulk_bytes, .group = 1
        };
        struct buffers_options options = { .count = 64, .buffer_bytes = 1024 };
        size_t bite = bulk_bytes > 0 ? bulk_bytes : options.buffer_bytes;
        struct fixture fixture;
        unsigned char *bytes = noise(MIB);
        size_t before, bites = 0;
        struct end *end;
        int fds[2];

        options.bulk = bulk_bytes > 0 ? &bulk : NULL;
        assert_int_equal(start_ring(&fixture.ring, NULL), 0);
        if (options.bulk)
                assert_int_equal(buffers_init(&bulk, &fixture.ring, &bulk_options), 0);
        assert_int_equal(buffers_init(&fixture.buffers, &fixture.ring, &options), 0);
        pair_unix(fds);
        end = end_new(&fixture.ring, &fixture.buffers, fds[0], 2 * MIB);
        for (unsigned turn = 0; turn < 300; turn++) {
                while (send(fds[1], bytes, 4096, MSG_DONTWAIT) > 0)
                        ;
                before = end->received_size;
                assert_int_equal(ring_turn(&fixture.ring, SECOND), 0);
                if (turn > 3)
                        assert_in_range(end->received_size - before, 1, bite);
                bites += end->received_size - before == bite;
        }
        assert_true(bites > 250);
        /* When it is over, the socket is back to what costs least. */
        do {
                before = end->received_size;
                turn_for(&fixture.ring, 10 * MS);
        } while (end->received_size > before);
        for (unsigned i = 0; i < 10; i++) {
                uint64_t completions = fixture.ring.stats.completions;

                assert_int_equal(write(fds[1], "x", 1), 1);
                TURN_UNTIL(&fixture.ring, end->received_size == before + 1 + i);
                if (i > 0)
                        assert_int_equal(fixture.ring.stats.completions, completions + 1);
                assert_false(end->socket.receive_greedy);
                assert_int_equal(end->socket.receive, SOCKET_RECEIVE_ARMED);
        }
        end_free(end);
        close(fds[1]);
        free(bytes);
        buffers_deinit(&fixture.buffers);
        if (options.bulk)
                buffers_deinit(&bulk);
        ring_deinit(&fixture.ring);
}

static void test_a_flood_is_held_to_a_buffer_a_turn(void **state)
{
        (void)state;
        flood(0);
}

static void test_a_flood_is_held_to_a_bulk_buffer_a_turn(void **state)
{
        (void)state;
        flood(4096);
}

/* More floods than bulk buffers: each has its turn, and all of it comes, in order. */
static void floods(unsigned bulk_count)
{
        enum { FLOODS = 7, SIZE = 256 * 1024 };
        struct buffers_options bulk_options = {
                .count = bulk_count, .buffer_bytes = 8192, .group = 1
        };
        struct buffers bulk;
        struct buffers_options options = { .count = 64, .buffer_bytes = 1024, .bulk = &bulk };
        struct fixture fixture;
        unsigned char *bytes = noise(SIZE);
        struct end *ends[FLOODS];
        size_t sent[FLOODS] = { 0 };
        int fds[FLOODS][2];
        bool all = false;

        assert_int_equal(start_ring(&fixture.ring, NULL), 0);
        assert_int_equal(buffers_init(&bulk, &fixture.ring, &bulk_options), 0);
        assert_int_equal(buffers_init(&fixture.buffers, &fixture.ring, &options), 0);
        for (unsigned i = 0; i < FLOODS; i++) {
                pair_unix(fds[i]);
                ends[i] = end_new(&fixture.ring, &fixture.buffers, fds[i][0], SIZE);
        }
        while (!all) {
                all = true;
                for (unsigned i = 0; i < FLOODS; i++) {
                        ssize_t n = send(fds[i][1], bytes + sent[i], SIZE - sent[i], MSG_DONTWAIT);

                        sent[i] += n > 0 ? (size_t)n : 0;
                        all &= ends[i]->received_size == SIZE;
                }
                assert_int_equal(ring_turn(&fixture.ring, all ? 0 : SECOND), 0);
        }
        assert_true(bulk.exhausted > 0);
        for (unsigned i = 0; i < FLOODS; i++) {
                assert_memory_equal(ends[i]->received, bytes, SIZE);
                end_free(ends[i]);
                close(fds[i][1]);
        }
        free(bytes);
        buffers_deinit(&fixture.buffers);
        buffers_deinit(&bulk);
        ring_deinit(&fixture.ring);
}

static void test_bulk_buffers_run_out(void **state)
{
        (void)state;
        floods(1);
        floods(2);
}

static void drop(struct end *end)
{
        end->received_size = 0;
}

/* Floods without end, and one bulk buffer: nobody has it all the time. */
static void test_endless_floods_take_turns(void **state)
{
        enum { FLOODS = 3, TURNS = 600 };
        struct buffers_options bulk_options = { .count = 1, .buffer_bytes = 8192, .group = 1 };
        struct buffers bulk;
        struct buffers_options options = { .count = 64, .buffer_bytes = 1024, .bulk = &bulk };
        struct fixture fixture;
        unsigned char *bytes = noise(65536);
        struct end *ends[FLOODS];
        int fds[FLOODS][2];

        (void)state;
        assert_int_equal(start_ring(&fixture.ring, NULL), 0);
        assert_int_equal(buffers_init(&bulk, &fixture.ring, &bulk_options), 0);
        assert_int_equal(buffers_init(&fixture.buffers, &fixture.ring, &options), 0);
        for (unsigned i = 0; i < FLOODS; i++) {
                pair_unix(fds[i]);
                ends[i] = end_new(&fixture.ring, &fixture.buffers, fds[i][0], 65536);
                ends[i]->react = drop;
        }
        for (unsigned turn = 0; turn < TURNS; turn++) {
                for (unsigned i = 0; i < FLOODS; i++)
                        while (send(fds[i][1], bytes, 4096, MSG_DONTWAIT) > 0)
                                ;
                assert_int_equal(ring_turn(&fixture.ring, SECOND), 0);
        }
        for (unsigned i = 0; i < FLOODS; i++)
                assert_true(ends[i]->data_calls >= TURNS / FLOODS / 4);
        for (unsigned i = 0; i < FLOODS; i++) {
                end_free(ends[i]);
                close(fds[i][1]);
        }
        free(bytes);
        buffers_deinit(&fixture.buffers);
        buffers_deinit(&bulk);
        ring_deinit(&fixture.ring);
}

/* --- many --- */

static int lowest_free_fd(void)
{
        int fd = dup(0);

        close(fd);
        return fd;
}

static void test_thousands_leave_nothing(void **state)
{
        enum { ROUNDS = 50, SOCKETS = 40 };
        struct fixture fixture;
        int lowest_fd;

        (void)state;
        assert_true(sizeof(struct socket) <= 320);
        fixture_init(&fixture, NULL);
        lowest_fd = lowest_free_fd();
        for (unsigned round = 0; round < ROUNDS; round++) {
                struct end *ends[SOCKETS];
                int fds[SOCKETS][2];
                struct iovec iovecs[SOCKETS];
                char byte = 'x';

                for (unsigned i = 0; i < SOCKETS; i++) {
                        pair_unix(fds[i]);
                        ends[i] = end_new(&fixture.ring, &fixture.buffers, fds[i][0], 16);
                        iovecs[i] = (struct iovec){ &byte, 1 };
                        assert_int_equal(write(fds[i][1], "hello", 5), 5);
                        if (i % 3 == 0)
                                socket_send(&ends[i]->socket, &iovecs[i], 1, true);
                        if (i % 4 == 0)
                                close(fds[i][1]);
                }
                for (unsigned turn = 0; turn < round % 4; turn++)
                        assert_int_equal(ring_turn(&fixture.ring, 0), 0);
                for (unsigned i = 0; i < SOCKETS; i++)
                        socket_close(&ends[i]->socket);
                for (unsigned i = 0; i < SOCKETS; i++) {
                        end_free(ends[i]);
                        if (i % 4 != 0)
                                close(fds[i][1]);
                }
        }
        assert_int_equal(lowest_free_fd(), lowest_fd);
        fixture_deinit(&fixture);
}

/* --- anything at any time --- */

/* An end that sends a sequence which its peer can check, whatever happens in between. */
struct talker {
        struct socket socket;
        struct iovec iovecs[3];
        unsigned char bytes[3000];
        unsigned char next_sent, next_received;
        bool ended, half_closed, closed;
};

static void talker_on_data(struct socket *socket, const unsigned char *bytes, size_t size)
{
        struct talker *talker = CONTAINER_OF(socket, struct talker, socket);

        assert_true(socket_is_open(socket) && !talker->ended);
        for (size_t i = 0; i < size; i++)
                assert_int_equal(bytes[i], talker->next_received++);
}

static void talker_on_receive_end(struct socket *socket, int error)
{
        struct talker *talker = CONTAINER_OF(socket, struct talker, socket);

        assert_false(talker->ended);
        assert_true(error == 0 || error == -ECONNRESET);
        talker->ended = true;
}

static void talker_on_sent(struct socket *socket, int error)
{
        struct talker *talker = CONTAINER_OF(socket, struct talker, socket);

        assert_false(talker->closed);
        if (error < 0)
                talker->half_closed = true; /* no more from here */
}

static void talker_on_closed(struct socket *socket)
{
        struct talker *talker = CONTAINER_OF(socket, struct talker, socket);

        assert_false(talker->closed);
        talker->closed = true;
}

static const struct socket_handler talker_handler = {
        .on_data = talker_on_data,
        .on_receive_end = talker_on_receive_end,
        .on_sent = talker_on_sent,
        .on_closed = talker_on_closed,
};

static void talkers_start(struct talker talkers[2], struct fixture *fixture, bool tcp)
{
        int fds[2];

        if (tcp)
                pair_tcp(fds);
        else
                pair_unix(fds);
        for (unsigned i = 0; i < 2; i++) {
                memset(&talkers[i], 0, sizeof(talkers[i]));
                socket_init(&talkers[i].socket, &fixture->ring, &fixture->buffers, fds[i],
                        &talker_handler);
                socket_resume(&talkers[i].socket);
        }
}

static void talker_send(struct talker *talker, size_t size)
{
        for (size_t i = 0; i < size; i++)
                talker->bytes[i] = talker->next_sent++;
        for (size_t i = 0; i < 3; i++)
                talker->iovecs[i] = (struct iovec){ talker->bytes + i * (size / 3), size / 3 };
        talker->iovecs[2].iov_len = size - 2 * (size / 3);
        socket_send(&talker->socket, talker->iovecs, 3, size % 2);
}

static void talker_act(struct talker *talker, unsigned *seed)
{
        switch (rand_r(seed) % 64) {
        case 0:
                socket_close(&talker->socket);
                break;
        case 1:
                if (!socket_is_sending(&talker->socket)) {
                        socket_half_close(&talker->socket);
                        talker->half_closed = true;
                }
                break;
        case 2 ... 15:
                socket_pause(&talker->socket);
                break;
        case 16 ... 35:
                socket_resume(&talker->socket);
                break;
        default:
                if (socket_is_open(&talker->socket) && !talker->half_closed &&
                        !socket_is_sending(&talker->socket))
                        talker_send(talker, 1 + (unsigned)rand_r(seed) % sizeof(talker->bytes));
                break;
        }
}

static void do_anything_at_any_time(const struct ring_options *ring_options)
{
        enum { PAIRS = 12, STEPS = 40000 };
        struct buffers_options options = { .count = 8, .buffer_bytes = 256 };
        struct talker(*talkers)[2] = calloc(PAIRS, sizeof(*talkers));
        struct fixture fixture;
        unsigned seed = 4, restarts = 0;

        assert_non_null(talkers);
        fixture_init_ring(&fixture, &options, ring_options);
        for (unsigned i = 0; i < PAIRS; i++)
                talkers_start(talkers[i], &fixture, i % 2);
        for (unsigned step = 0; step < STEPS; step++) {
                unsigned i = (unsigned)rand_r(&seed) % PAIRS;

                talker_act(&talkers[i][rand_r(&seed) % 2], &seed);
                if (rand_r(&seed) % 8 == 0)
                        assert_int_equal(ring_turn(&fixture.ring, 0), 0);
                if (talkers[i][0].closed && talkers[i][1].closed) {
                        talkers_start(talkers[i], &fixture, i % 2);
                        restarts++;
                }
        }
        assert_true(restarts > PAIRS);
        assert_true(fixture.buffers.exhausted > 0);
        for (unsigned i = 0; i < 2 * PAIRS; i++)
                socket_close(&talkers[i / 2][i % 2].socket);
        for (unsigned i = 0; i < 2 * PAIRS; i++)
                TURN_UNTIL(&fixture.ring, talkers[i / 2][i % 2].closed);
        if (ring_options && on_uring())
                assert_true(fixture.ring.stats.overflows > 0);
        free(talkers);
        fixture_deinit(&fixture);
}

static void test_anything_at_any_time(void **state)
{
        (void)state;
        do_anything_at_any_time(NULL);
        /* queues that are always full */
        do_anything_at_any_time(&(struct ring_options){ .sq_entries = 2, .cq_entries = 4 });
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_a_mebibyte_both_ways),
                cmocka_unit_test(test_slow_reader_gets_all),
                cmocka_unit_test(test_starved_sockets_share),
                cmocka_unit_test(test_close_and_pause_while_waiting_for_buffers),
                cmocka_unit_test(test_close_ends_receive_and_send),
                cmocka_unit_test(test_close_right_behind_a_send),
                cmocka_unit_test(test_an_unawaited_send_costs_no_turn),
                cmocka_unit_test(test_an_unawaited_send_fails_aloud),
                cmocka_unit_test(test_close_from_on_data),
                cmocka_unit_test(test_peer_half_closes_and_we_answer),
                cmocka_unit_test(test_peer_resets),
                cmocka_unit_test(test_a_read_that_stops_short_is_not_the_end),
                cmocka_unit_test(test_pause_stops_and_resume_goes_on),
                cmocka_unit_test(test_pause_and_resume_at_once),
                cmocka_unit_test(test_a_flood_is_held_to_a_buffer_a_turn),
                cmocka_unit_test(test_a_flood_is_held_to_a_bulk_buffer_a_turn),
                cmocka_unit_test(test_bulk_buffers_run_out),
                cmocka_unit_test(test_endless_floods_take_turns),
                cmocka_unit_test(test_thousands_leave_nothing),
                cmocka_unit_test(test_anything_at_any_time),
        };

        return RUN_ON_BOTH_ENGINES("core/socket", tests);
}
