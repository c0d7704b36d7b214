/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "codec/arena.h"
#include "core/mapping.h"
#include "random.h"
#include "short_memory.h"

#include <errno.h>

#define MIB ((size_t)1 << 20)

static void *take(struct arena_pool *pool, size_t size, size_t *ret_actual)
{
        upb_SizedPtr block = upb_SizeReturningMalloc(arena_pool_alloc(pool), size);

        *ret_actual = block.n;
        return block.p;
}

static void give(struct arena_pool *pool, void *block, size_t actual)
{
        upb_free_sized(arena_pool_alloc(pool), block, actual);
}

static void test_classes(void **state)
{
        struct arena_pool pool;

        (void)state;
        arena_pool_init(&pool, 16 * MIB);
        for (size_t size = 1; size <= ARENA_LARGE_BYTES_MAX + 2; size += 1 + size / 999 * 7) {
                size_t expected = ARENA_BLOCK_BYTES_MIN, actual;
                void *block = take(&pool, size, &actual);

                while (expected < size && expected < ARENA_BLOCK_BYTES_MAX)
                        expected *= 2;
                for (size_t quarter = expected / 4; expected < size; expected += quarter)
                        if (expected == 8 * quarter)
                                quarter *= 2;
                if (size > ARENA_LARGE_BYTES_MAX)
                        expected = size;
                assert_non_null(block);
                assert_int_equal(actual, expected);
                assert_int_equal(pool.used_bytes, expected);
                memset(block, 0xa5, actual);
                give(&pool, block, actual);
                assert_int_equal(pool.used_bytes, 0);
        }
        arena_pool_deinit(&pool);
}

static void test_block_is_reused(void **state)
{
        static const size_t sizes[] = { 1000, 3000, 60000, 100000, 4 * MIB };
        struct arena_pool pool;

        (void)state;
        arena_pool_init(&pool, 16 * MIB);
        for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
                size_t actual, again;
                void *first = take(&pool, sizes[i], &actual), *second;

                give(&pool, first, actual);
                second = take(&pool, actual, &again);
                assert_ptr_equal(first, second);
                assert_int_equal(again, actual);
                give(&pool, second, actual);
        }
        arena_pool_deinit(&pool);
}

static void test_kept_is_bounded(void **state)
{
        struct arena_pool pool;
        void *blocks[8];
        size_t actual;

        (void)state;
        arena_pool_init(&pool, 3 * MIB);
        for (size_t i = 0; i < 8; i++)
                blocks[i] = take(&pool, MIB, &actual);
        for (size_t i = 0; i < 8; i++) {
                give(&pool, blocks[i], actual);
                assert_true(pool.kept_bytes <= 3 * MIB);
        }
        assert_int_equal(pool.kept_bytes, 3 * MIB);
        arena_pool_deinit(&pool);
}

static void test_short_memory(void **state)
{
        struct arena_pool pool;
        struct arena arena = {}, other = {};

        (void)state;
        arena_pool_init(&pool, MIB);
        short_memory_begin(&pool, 8192);
        assert_int_equal(arena_init(&arena, &pool, 4096), 0);
        assert_non_null(upb_Arena_Malloc(arena.upb, 3000));
        assert_null(upb_Arena_Malloc(arena.upb, 5000));
        assert_int_equal(arena_init(&other, &pool, 8192), -ENOMEM);
        assert_null(other.first);
        assert_non_null(upb_Arena_Malloc(arena.upb, 2000));
        arena_deinit(&other);
        arena_deinit(&arena);
        arena_deinit(&arena);
        arena_pool_deinit(&pool);
}

static void test_reset(void **state)
{
        struct arena_pool pool;
        struct arena arena;
        upb_Arena *before;
        void *first;

        (void)state;
        arena_pool_init(&pool, MIB);
        assert_int_equal(arena_init(&arena, &pool, 2000), 0);
        assert_int_equal(arena.first_bytes, 2048);
        before = arena.upb;
        first = upb_Arena_Malloc(arena.upb, 100);
        for (int i = 0; i < 100; i++)
                assert_non_null(upb_Arena_Malloc(arena.upb, 1000));
        assert_true(pool.used_bytes > 100000);

        arena_reset(&arena);
        assert_ptr_equal(arena.upb, before);
        assert_int_equal(pool.used_bytes, 2048);
        assert_ptr_equal(upb_Arena_Malloc(arena.upb, 100), first);
        arena_deinit(&arena);
        assert_int_equal(pool.used_bytes, 0);
        arena_pool_deinit(&pool);
}

/*
 * The pool is there so that this is true: the second time round everything comes from the free
 * lists, also if there is a trim in between.
 */
static void test_steady_state_takes_nothing(void **state)
{
        struct arena_pool pool;
        size_t made = 0;

        (void)state;
        arena_pool_init(&pool, 8 * MIB);
        for (int round = 0; round < 6; round++) {
                struct arena arena;

                assert_int_equal(arena_init(&arena, &pool, 4096), 0);
                for (int i = 0; i < 5000; i++)
                        assert_non_null(upb_Arena_Malloc(arena.upb, 900));
                assert_non_null(upb_Arena_Malloc(arena.upb, MIB));
                assert_true(round == 0 || mappings_made() == made);
                arena_deinit(&arena);
                made = mappings_made();
                arena_pool_trim(&pool);
        }
        arena_pool_deinit(&pool);
}

/* What a peak took is not there any more after two trims; what is in use stays. */
static void test_trim(void **state)
{
        enum { COUNT = 20 };
        struct arena_pool pool;
        struct arena arenas[COUNT], used;
        char *text;

        (void)state;
        arena_pool_init(&pool, 32 * MIB);
        assert_int_equal(arena_init(&used, &pool, 1024), 0);
        text = upb_Arena_Malloc(used.upb, 5000);
        memset(text, 'x', 5000);
        for (size_t i = 0; i < COUNT; i++) {
                assert_int_equal(arena_init(arenas + i, &pool, 1024), 0);
                for (size_t k = 0; k < 1000; k++)
                        memset(upb_Arena_Malloc(arenas[i].upb, 1000), 1, 1000);
                memset(upb_Arena_Malloc(arenas[i].upb, MIB), 1, MIB);
        }
        for (size_t i = 0; i < COUNT; i++)
                arena_deinit(arenas + i);
        assert_true(arena_pool_trim(&pool) > COUNT * 2 * (MIB - 100000));
        assert_true(arena_pool_trim(&pool) < MIB);
        assert_int_equal(pool.kept_bytes, 0);
        for (size_t i = 0; i < 5000; i++)
                assert_int_equal(text[i], 'x');
        arena_deinit(&used);
        arena_pool_deinit(&pool);
}

static void *use_shared(void *user)
{
        uint64_t random = (uintptr_t)&random;

        for (int round = 0; round < 50; round++) {
                struct arena arena;

                assert_int_equal(arena_init(&arena, user, 1024), 0);
                for (int i = 0; i < 40; i++) {
                        size_t size = 1 + random_upto(&random, i % 10 ? 3000 : 200000);
                        uint8_t mark = (uint8_t)random_u64(&random);
                        uint8_t *bytes = upb_Arena_Malloc(arena.upb, size);

                        memset(bytes, mark, size);
                        for (size_t k = 0; k < size; k++)
                                assert_int_equal(bytes[k], mark);
                }
                arena_deinit(&arena);
                arena_pool_trim(user);
        }
        return NULL;
}

static void test_shared(void **state)
{
        struct arena_pool pool;
        pthread_t threads[3];

        (void)state;
        arena_pool_init_shared(&pool, MIB);
        for (size_t i = 0; i < 3; i++)
                assert_int_equal(pthread_create(threads + i, NULL, use_shared, &pool), 0);
        for (size_t i = 0; i < 3; i++)
                assert_int_equal(pthread_join(threads[i], NULL), 0);
        arena_pool_deinit(&pool);
}

static void test_without_pool(void **state)
{
        struct arena arena;
        void *first;

        (void)state;
        assert_int_equal(arena_init(&arena, NULL, 0), 0);
        first = upb_Arena_Malloc(arena.upb, 100);
        for (int i = 0; i < 100; i++)
                memset(upb_Arena_Malloc(arena.upb, 1000), i, 1000);
        arena_reset(&arena);
        assert_ptr_equal(upb_Arena_Malloc(arena.upb, 100), first);
        arena_deinit(&arena);
        assert_null(arena.first);
}

/* Whatever is allocated keeps what was written to it, on many arenas and through resets. */
static void test_contents(void **state)
{
        struct arena_pool pool;

        (void)state;
        arena_pool_init(&pool, MIB);
        for (uint64_t seed = 1; seed <= 50; seed++) {
                struct piece {
                        uint8_t *data, mark;
                        size_t size;
                } pieces[200];
                uint64_t random = seed;
                struct arena arenas[4];

                for (size_t i = 0; i < 4; i++)
                        assert_int_equal(arena_init(&arenas[i], &pool, 1024 << i), 0);
                for (size_t round = 0; round < 3; round++) {
                        for (size_t i = 0; i < 200; i++) {
                                struct piece *piece = &pieces[i];

                                piece->size = random_upto(&random, i % 20 ? 300 : 100000);
                                piece->mark = (uint8_t)random_u64(&random);
                                piece->data = upb_Arena_Malloc(arenas[i % 4].upb, piece->size);
                                assert_non_null(piece->data);
                                memset(piece->data, piece->mark, piece->size);
                        }
                        for (size_t i = 0; i < 200; i++)
                                for (size_t k = 0; k < pieces[i].size; k++)
                                        if (pieces[i].data[k] != pieces[i].mark)
                                                fail_msg("seed %d", (int)seed);
                        for (size_t i = 0; i < 4; i++)
                                (round == 1 ? arena_reset : arena_rewind)(&arenas[i]);
                }
                for (size_t i = 0; i < 4; i++)
                        arena_deinit(&arenas[i]);
                assert_int_equal(pool.used_bytes, 0);
        }
        arena_pool_deinit(&pool);
}

/* While all fits the first block nothing is taken or given back; else the further blocks are. */
static void test_rewind(void **state)
{
        struct arena_pool pool;
        struct arena arena;
        void *first;

        (void)state;
        arena_pool_init(&pool, MIB);
        assert_int_equal(arena_init(&arena, &pool, 1024), 0);
        arena_rewind(&arena); /* nothing was allocated */
        first = upb_Arena_Malloc(arena.upb, 100);
        for (int i = 0; i < 100; i++) {
                memset(first, i, 100);
                arena_rewind(&arena);
                assert_ptr_equal(upb_Arena_Malloc(arena.upb, 100), first);
                assert_int_equal(pool.used_bytes, arena.first_bytes);
        }
        for (int i = 0; i < 20; i++)
                memset(upb_Arena_Malloc(arena.upb, 100), i, 100);
        assert_true(arena_grown_bytes(arena.upb) > 0);
        arena_rewind(&arena);
        assert_int_equal(pool.used_bytes, arena.first_bytes);
        assert_ptr_equal(upb_Arena_Malloc(arena.upb, 100), first);
        arena_deinit(&arena);
        arena_pool_deinit(&pool);
}

/* What has a block of its own leaves the first as it was. */
static void test_worn_by_a_large_block(void **state)
{
        static const size_t sizes[] = { 2000, 40000, 1040000, 1048000, 1048560, 1300000 };
        struct arena_pool pool;
        struct arena arena;

        (void)state;
        arena_pool_init(&pool, (size_t)32 << 20);
        assert_int_equal(arena_init(&arena, &pool, 1024), 0);
        for (size_t i = 0; i < 60; i++) {
                assert_non_null(upb_Arena_Malloc(arena.upb, sizes[i / 10]));
                arena_reset_if_half_used(&arena);
                assert_int_equal(arena_grown_bytes(arena.upb), 0);
                assert_int_equal(pool.used_bytes, arena.first_bytes);
        }
        arena_deinit(&arena);
        arena_pool_deinit(&pool);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_classes),
                cmocka_unit_test(test_block_is_reused),
                cmocka_unit_test(test_kept_is_bounded),
                cmocka_unit_test(test_short_memory),
                cmocka_unit_test(test_reset),
                cmocka_unit_test(test_rewind),
                cmocka_unit_test(test_steady_state_takes_nothing),
                cmocka_unit_test(test_trim),
                cmocka_unit_test(test_shared),
                cmocka_unit_test(test_without_pool),
                cmocka_unit_test(test_contents),
                cmocka_unit_test(test_worn_by_a_large_block),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
