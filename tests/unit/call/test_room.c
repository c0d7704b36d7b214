/* SPDX-License-Identifier: MIT */
#include "harness.h"

#include <errno.h>

#include "call/budget.h"

#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)

static void hold(struct bench *bench, size_t bytes)
{
        counter_set(&bench->host.room.other_bytes, bytes);
}

/* A connection may hold as much as is left, and a little in any case. */
static void test_what_is_left(void **state)
{
        struct bench *bench = bench_new();
        struct room *room = &bench->host.room;

        (void)state;
        room->bytes_max = MIB;
        for (size_t used = 0; used <= 2 * MIB; used += 10 * KIB) {
                size_t left = used < MIB ? MIB - used : 0;
                size_t most = left > ROOM_BYTES_MIN_MOST ? left : ROOM_BYTES_MIN_MOST;

                hold(bench, used);
                assert_int_equal(room_used_bytes(room), used);
                assert_true(room_allows(room, 0));
                assert_true(room_allows(room, most));
                assert_false(room_allows(room, most + 1));
                assert_false(room_allows(room, SIZE_MAX));
                assert_int_equal(room_is_exceeded(room), used > MIB);
        }
        room->bytes_max = SIZE_MAX;
        assert_true(room_allows(room, SIZE_MAX - 1));
        bench_free(bench);
}

/* What N connections may hold in any case is half of all, of requests and answers together, but 4 KiB of each at least. */
static void test_in_any_case(void **state)
{
        const struct {
                size_t bytes_max, connections, bytes_min;
        } cases[] = {
                { MIB, 0, 64 * KIB },
                { MIB, 1, 64 * KIB },
                { MIB, 4, 64 * KIB },
                { MIB, 5, MIB / 20 },
                { MIB, 64, 4 * KIB },
                { MIB, 65, 4 * KIB },
                { 0, 1, 4 * KIB },
                { SIZE_MAX, 1 << 20, 64 * KIB },
        };
        struct bench *bench = bench_new();
        struct room *room = &bench->host.room;

        (void)state;
        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
                room->bytes_max = cases[i].bytes_max;
                hold(bench, MIB);
                room_share(room, cases[i].connections);
                assert_int_equal(room_bytes_min(room), cases[i].bytes_min);
                assert_true(room_allows(room, cases[i].bytes_min));
                assert_int_equal(
                        room_allows(room, cases[i].bytes_min + 1), room->bytes_max == SIZE_MAX);
        }
        bench_free(bench);
}

/* Connections that take all they can get share equally, and leave the same amount for the next one. */
static void test_the_greedy_share(void **state)
{
        enum { ROUNDS = 10000, STEP = 4 << 10 };

        (void)state;
        for (unsigned count = 1; count <= 40; count += 13) {
                struct bench *bench = bench_new();
                struct room *room = &bench->host.room;
                size_t held[40] = { 0 }, used = 0;

                room->bytes_max = 64 * MIB;
                for (unsigned i = 0; i < ROUNDS * count; i++) {
                        if (!room_allows(room, held[i % count] + STEP))
                                continue;
                        held[i % count] += STEP;
                        used += STEP;
                        hold(bench, used);
                }
                for (unsigned i = 0; i < count; i++)
                        assert_in_range(held[i], 64 * MIB / (count + 1) - 2 * STEP * count,
                                64 * MIB / (count + 1) + 2 * STEP * count);
                assert_in_range(64 * MIB - used, 64 * MIB / (count + 1) - 2 * STEP * count,
                        64 * MIB / (count + 1) + 2 * STEP * count);
                bench_free(bench);
        }
}

/* A request that is being received. */
static void test_requests(void **state)
{
        struct bench *bench = bench_new();
        struct quoit_call *call = bench_call(bench, QUOIT_UNARY);
        uint8_t wire[100] = { 0, 0, 0x03, 0, 0 }; /* 192 KiB will arrive */

        (void)state;
        bench->host.room.bytes_max = MIB;
        hold(bench, 900 * KIB);
        assert_int_equal(reader_feed(&call->exchange, wire, sizeof(wire)), -ENOSPC);
        call_refuse_memory(call);
        assert_int_equal(call->ring.state, CALL_DONE);
        assert_int_equal(arena_pool_used_bytes(&bench->arenas), 0); /* at once */
        assert_int_equal(bench->group.held_bytes, 0);
        assert_int_equal(bench->host.room.refused, 1);
        assert_in_range(strtoul(call->ring.pushback_ms, NULL, 10), 800, 1200);
        bench_close(call);

        call = bench_call(bench, QUOIT_UNARY);
        hold(bench, 100 * KIB);
        assert_int_equal(reader_feed(&call->exchange, wire, sizeof(wire)), 0);
        bench_close(call);
        call = bench_call(bench, QUOIT_UNARY);
        hold(bench, 5 * MIB);
        wire[2] = 0;
        wire[3] = 0xf0; /* a small one, whatever others hold */
        assert_int_equal(reader_feed(&call->exchange, wire, sizeof(wire)), 0);
        bench_close(call);
        bench_free(bench);
}

static void test_what_is_parsed(void **state)
{
        struct bench *bench = bench_new();
        struct budget budget;
        struct arena arena;

        (void)state;
        bench->host.room.bytes_max = MIB;
        hold(bench, 2 * MIB);
        assert_int_equal(arena_init(&arena, &bench->arenas, KIB), 0);
        budget_begin(&budget, &bench->group, arena.upb);
        while (upb_Arena_Malloc(arena.upb, 900))
                ;
        budget_end(&budget);
        assert_true(budget.exceeded && budget.short_of_memory);
        assert_in_range(budget.taken, ROOM_BYTES_MIN_MOST / 2, ROOM_BYTES_MIN_MOST);
        budget_settle(&bench->group, budget.taken);
        arena_deinit(&arena);
        bench_free(bench);
}

/* After quoit_call_writable() said true a small message is never refused. */
static void test_answers(void **state)
{
        struct bench *bench = bench_new();
        struct quoit_call *call = bench_call(bench, QUOIT_SERVER_STREAMING);

        (void)state;
        bench->limits.call_queue_bytes_max = MIB;
        bench->limits.connection_send_bytes_max = 16 * MIB;
        bench->host.room.bytes_max = MIB;
        hold(bench, 2 * MIB);
        assert_true(quoit_call_writable(call));
        assert_true(writer_may_queue(&call->exchange, ROOM_BYTES_MIN_MOST));
        assert_false(writer_may_queue(&call->exchange, ROOM_BYTES_MIN_MOST + 1));
        while (bench->group.queued_bytes <= ROOM_BYTES_MIN_MOST) {
                assert_true(quoit_call_writable(call));
                assert_true(writer_may_queue(&call->exchange, 2000));
                assert_false(call_group_is_congested(&bench->group));
                memset(writer_place(&call->exchange, 2000), 0, 2000);
        }
        assert_false(quoit_call_writable(call));
        assert_false(writer_may_queue(&call->exchange, 1));
        assert_true(call_group_is_congested(&bench->group));
        hold(bench, 0);
        assert_true(quoit_call_writable(call));
        assert_true(writer_may_queue(&call->exchange, 200 * KIB));
        assert_false(call_group_is_congested(&bench->group));
        bench_close(call);
        bench_free(bench);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_what_is_left),
                cmocka_unit_test(test_in_any_case),
                cmocka_unit_test(test_the_greedy_share),
                cmocka_unit_test(test_requests),
                cmocka_unit_test(test_what_is_parsed),
                cmocka_unit_test(test_answers),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
