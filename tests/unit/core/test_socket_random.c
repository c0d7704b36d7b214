/* SPDX-License-Identifier: MIT */
#include "sockets.h"

#include <errno.h>

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
                cmocka_unit_test(test_anything_at_any_time),
        };

        return RUN_ON_BOTH_ENGINES("core/socket, at random", tests);
}
