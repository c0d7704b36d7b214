/* SPDX-License-Identifier: MIT */
#include "sockets.h"

#include <errno.h>

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

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_a_mebibyte_both_ways),
                cmocka_unit_test(test_slow_reader_gets_all),
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
                cmocka_unit_test(test_thousands_leave_nothing),
        };

        return RUN_ON_BOTH_ENGINES("core/socket", tests);
}
