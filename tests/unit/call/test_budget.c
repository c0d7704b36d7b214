/* SPDX-License-Identifier: MIT */
#include "harness.h"

#include <pthread.h>

#include "call/budget.h"

#define KIB ((size_t)1 << 10)

/* Allocates until it fails; returns the number of bytes. */
static size_t fill(upb_Arena *arena, size_t piece)
{
        size_t bytes = 0;

        while (upb_Arena_Malloc(arena, piece))
                bytes += piece;
        return bytes;
}

static void test_what_is_left(void **state)
{
        struct bench *bench = bench_new();
        size_t max = bench->limits.connection_receive_bytes_max;

        (void)state;
        for (size_t held = 0; held <= max + 100; held += max / 4) {
                struct budget budget;
                struct arena arena;

                counter_set(&bench->group.held_bytes, held);
                assert_int_equal(arena_init(&arena, &bench->arenas, KIB), 0);
                budget_begin(&budget, &bench->group, arena.upb);
                assert_true(fill(arena.upb, 3000) <= max - held);
                budget_end(&budget);
                assert_true(budget.exceeded);
                assert_true(held + budget.taken <= max);
                assert_true(held + budget.taken + 32 * KIB >= max);
                assert_int_equal(call_group_held_bytes(&bench->group), held + budget.taken);
                assert_non_null(upb_Arena_Malloc(arena.upb, 2 * max)); /* not caused by the peer */
                budget_settle(&bench->group, budget.taken);
                assert_int_equal(call_group_held_bytes(&bench->group), held);
                arena_deinit(&arena);
        }
        counter_set(&bench->group.held_bytes, 0);
        bench_free(bench);
}

/* The connection is over its limit already, as after a large message. */
static void test_nothing_is_left(void **state)
{
        struct bench *bench = bench_new();
        struct budget budget;
        struct arena arena;

        (void)state;
        counter_set(&bench->group.held_bytes, bench->limits.connection_receive_bytes_max + 1);
        assert_int_equal(arena_init(&arena, &bench->arenas, KIB), 0);
        budget_begin(&budget, &bench->group, arena.upb);
        assert_non_null(upb_Arena_Malloc(arena.upb, 500)); /* in the block that is there */
        assert_null(upb_Arena_Malloc(arena.upb, 2000));
        budget_end(&budget);
        assert_int_equal(budget.taken, 0);
        arena_deinit(&arena);
        counter_set(&bench->group.held_bytes, 0);
        bench_free(bench);
}

static void *fill_as_worker(void *user)
{
        struct bench *bench = user;
        size_t *taken = malloc(sizeof(*taken));
        struct budget budget;
        struct arena arena;

        assert_int_equal(arena_init(&arena, NULL, KIB), 0);
        budget_begin(&budget, &bench->group, arena.upb);
        fill(arena.upb, 700);
        budget_end(&budget);
        arena_deinit(&arena);
        *taken = budget.taken;
        return taken;
}

/* Workers share what is left: together they get all of it, and no more. */
static void test_workers_share(void **state)
{
        enum { WORKERS = 4, ROUNDS = 20 };
        struct bench *bench = bench_new();
        size_t max = bench->limits.connection_receive_bytes_max, held = 100000;

        (void)state;
        counter_set(&bench->group.held_bytes, held);
        for (unsigned round = 0; round < ROUNDS; round++) {
                pthread_t threads[WORKERS];
                size_t sum = 0;

                for (unsigned i = 0; i < WORKERS; i++)
                        assert_int_equal(
                                pthread_create(threads + i, NULL, fill_as_worker, bench), 0);
                for (unsigned i = 0; i < WORKERS; i++) {
                        void *taken;

                        assert_int_equal(pthread_join(threads[i], &taken), 0);
                        sum += *(size_t *)taken;
                        free(taken);
                }
                assert_true(held + sum <= max);
                assert_true(held + sum + 33 * KIB >= max);
                budget_settle(&bench->group, sum);
        }
        assert_int_equal(call_group_held_bytes(&bench->group), held);
        counter_set(&bench->group.held_bytes, 0);
        bench_free(bench);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_what_is_left),
                cmocka_unit_test(test_nothing_is_left),
                cmocka_unit_test(test_workers_share),
        };

        return cmocka_run_group_tests_name("call/budget", tests, NULL, NULL);
}
