/* SPDX-License-Identifier: MIT */
#include "sockets.h"

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

/* One buffer a turn, until it has other buffers; meanwhile those who use the others do not wait. */
static void test_buffers_for_newcomers(void **state)
{
        enum { SOCKETS = 8, SIZE = 64 * 1024, BUFFER = 1024 };
        struct buffers_options options = { .count = 64, .buffer_bytes = BUFFER };
        struct buffers_options few = {
                .count = 2, .buffer_bytes = BUFFER, .group = 1, .once = true
        };
        struct buffers newcomers;
        struct fixture fixture;
        unsigned char *bytes = noise(SIZE);
        struct end *ends[SOCKETS];
        int fds[SOCKETS][2];
        size_t sum = 0, before;

        (void)state;
        fixture_init(&fixture, &options);
        assert_int_equal(buffers_init(&newcomers, &fixture.ring, &few), 0);
        for (unsigned i = 0; i < SOCKETS; i++) {
                pair_unix(fds[i]);
                ends[i] =
                        end_new(&fixture.ring, i ? &newcomers : &fixture.buffers, fds[i][0], SIZE);
                assert_int_equal(write(fds[i][1], bytes, i ? SIZE : BUFFER), i ? SIZE : BUFFER);
        }
        for (unsigned turn = 0; turn < 20; turn++) {
                before = sum;
                assert_int_equal(ring_turn(&fixture.ring, SECOND), 0);
                sum = 0;
                for (unsigned i = 1; i < SOCKETS; i++)
                        sum += ends[i]->received_size;
                assert_true(sum - before <= few.count * BUFFER);
                if (turn == 2) /* one turn after it was submitted */
                        assert_int_equal(ends[0]->received_size, BUFFER);
        }
        assert_true(sum >= 18 * BUFFER);
        for (unsigned i = 1; i < SOCKETS; i++)
                socket_use_buffers(&ends[i]->socket, &fixture.buffers);
        for (unsigned i = 1; i < SOCKETS; i++) {
                TURN_UNTIL(&fixture.ring, ends[i]->received_size == SIZE);
                assert_memory_equal(ends[i]->received, bytes, SIZE);
        }
        for (unsigned i = 0; i < SOCKETS; i++) {
                end_free(ends[i]);
                close(fds[i][1]);
        }
        free(bytes);
        buffers_deinit(&newcomers);
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

/* --- floods --- */

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

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_starved_sockets_share),
                cmocka_unit_test(test_buffers_for_newcomers),
                cmocka_unit_test(test_close_and_pause_while_waiting_for_buffers),
                cmocka_unit_test(test_a_flood_is_held_to_a_buffer_a_turn),
                cmocka_unit_test(test_a_flood_is_held_to_a_bulk_buffer_a_turn),
                cmocka_unit_test(test_bulk_buffers_run_out),
                cmocka_unit_test(test_endless_floods_take_turns),
        };

        return RUN_ON_BOTH_ENGINES("core/socket, buffers", tests);
}
