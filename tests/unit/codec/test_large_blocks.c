/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "codec/arena.h"
#include "codec/large_blocks.h"

#define LARGE ((size_t)100 << 10)

struct fixture {
        struct arena_pool pool;
        struct large_blocks large;
        struct arena arena;
};

static void fixture_init(struct fixture *fixture)
{
        arena_pool_init(&fixture->pool, 0);
        large_blocks_init(&fixture->large, &fixture->pool);
        assert_int_equal(
                arena_init_large(&fixture->arena, &fixture->pool, &fixture->large, 1024), 0);
}

static void fixture_deinit(struct fixture *fixture)
{
        arena_deinit(&fixture->arena);
        assert_int_equal(fixture->large.bytes, 0);
        arena_pool_deinit(&fixture->pool);
}

static void test_holds_what_lies_in_a_large_block(void **state)
{
        struct fixture fixture;
        char *large, *small;

        (void)state;
        fixture_init(&fixture);
        small = upb_Arena_Malloc(fixture.arena.upb, 100);
        large = upb_Arena_Malloc(fixture.arena.upb, LARGE);
        memset(large, 1, LARGE);
        assert_true(large_blocks_hold(&fixture.large, large, LARGE));
        assert_true(large_blocks_hold(&fixture.large, large + LARGE - 1, 1));
        assert_false(large_blocks_hold(&fixture.large, small, 100));
        assert_false(large_blocks_hold(&fixture.large, large - LARGE_BLOCK_BYTES_MIN, 1));
        assert_false(large_blocks_hold(&fixture.large, large, 2 * LARGE)); /* runs out of it */
        assert_false(large_blocks_hold(&fixture.large, large + 1, SIZE_MAX));
        assert_true(fixture.large.bytes >= LARGE);
        fixture_deinit(&fixture);
}

static void test_another_arena_of_the_pool_is_another(void **state)
{
        struct fixture fixture;
        struct arena other;
        char *bytes;

        (void)state;
        fixture_init(&fixture);
        assert_int_equal(arena_init(&other, &fixture.pool, 1024), 0);
        bytes = upb_Arena_Malloc(other.upb, LARGE);
        assert_false(large_blocks_hold(&fixture.large, bytes, LARGE));
        arena_deinit(&other);
        fixture_deinit(&fixture);
}

static void test_more_than_are_remembered(void **state)
{
        struct fixture fixture;
        char *blocks[LARGE_BLOCKS_MAX + 1];

        (void)state;
        fixture_init(&fixture);
        for (size_t i = 0; i <= LARGE_BLOCKS_MAX; i++) {
                blocks[i] = upb_Arena_Malloc(fixture.arena.upb, LARGE);
                memset(blocks[i], 1, LARGE);
                assert_int_equal(
                        large_blocks_hold(&fixture.large, blocks[i], LARGE), i < LARGE_BLOCKS_MAX);
        }
        fixture_deinit(&fixture);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_holds_what_lies_in_a_large_block),
                cmocka_unit_test(test_another_arena_of_the_pool_is_another),
                cmocka_unit_test(test_more_than_are_remembered),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
