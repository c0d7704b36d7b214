/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../codec/random.h"
#include "transport/memory.h"

static void test_blocks_are_aligned_and_apart(void **state)
{
        struct memory memory;
        void *blocks[1500];

        (void)state;
        memory_init(&memory);
        for (size_t i = 0; i < 1500; i++) {
                size_t size = i * 13; /* beyond the size of a frame buffer */

                blocks[i] = memory.h2.malloc(size, memory.h2.mem_user_data);
                assert_non_null(blocks[i]);
                assert_int_equal((uintptr_t)blocks[i] % 8, 0);
                memset(blocks[i], (int)i, size);
        }
        assert_int_equal(memory.live, 1500);
        for (size_t i = 0; i < 1500; i++) {
                for (size_t j = 0; j < i * 13; j++)
                        assert_int_equal(((uint8_t *)blocks[i])[j], i & 0xff);
                memory.h2.free(blocks[i], &memory);
        }
        assert_int_equal(memory.live, 0);
        memory_deinit(&memory);
}

/* A freed block is the next one of its class: the steady state takes nothing from the system. */
static void test_reuse(void **state)
{
        struct memory memory;
        void *small, *large, *frame;

        (void)state;
        memory_init(&memory);
        small = memory.h2.malloc(1, &memory);
        large = memory.h2.malloc(2600, &memory);
        frame = memory.h2.malloc(9 + 16384, &memory);
        memory.h2.free(small, &memory);
        memory.h2.free(large, &memory);
        memory.h2.free(frame, &memory);
        assert_ptr_equal(memory.h2.malloc(16384, &memory), frame);
        assert_ptr_equal(memory.h2.malloc(3000, &memory), large);
        assert_ptr_equal(memory.h2.malloc(16, &memory), small);
        memory.h2.free(small, &memory);
        memory.h2.free(large, &memory);
        memory.h2.free(frame, &memory);
        memory.h2.free(NULL, &memory);
        assert_int_equal(memory.live, 0);
        memory_deinit(&memory);
}

static void test_calloc_zeroes(void **state)
{
        static const uint8_t zeroes[100];
        struct memory memory;
        uint8_t *block;

        (void)state;
        memory_init(&memory);
        block = memory.h2.malloc(100, &memory);
        memset(block, 0xff, 100);
        memory.h2.free(block, &memory);
        assert_ptr_equal(memory.h2.calloc(4, 25, &memory), block);
        assert_memory_equal(block, zeroes, 100);
        assert_null(memory.h2.calloc(SIZE_MAX / 2, 3, &memory));
        memory.h2.free(block, &memory);
        memory_deinit(&memory);
}

static void test_sizes_that_no_memory_has(void **state)
{
        struct memory memory;

        (void)state;
        memory_init(&memory);
        for (size_t less = 0; less < 16; less++)
                assert_null(memory.h2.malloc(SIZE_MAX - less, &memory));
        assert_int_equal(memory.live, 0);
        memory_deinit(&memory);
}

/* Sizes at random, as nghttp2 grows its buffers: what was there stays there. */
static void test_realloc_keeps(void **state)
{
        struct memory memory;
        uint64_t seed = 42;

        (void)state;
        memory_init(&memory);
        for (unsigned round = 0; round < 50; round++) {
                uint8_t *block = NULL;
                size_t size = 0;

                for (unsigned step = 0; step < 20; step++) {
                        size_t next = 1 + random_upto(&seed, step % 4 ? 20000 : 40);

                        block = memory.h2.realloc(block, next, &memory);
                        assert_non_null(block);
                        for (size_t i = 0; i < size && i < next; i++)
                                assert_int_equal(block[i], (uint8_t)(round + i));
                        for (size_t i = 0; i < next; i++)
                                block[i] = (uint8_t)(round + i);
                        size = next;
                }
                assert_int_equal(memory.live, 1);
                memory.h2.free(block, &memory);
        }
        assert_int_equal(memory.live, 0);
        memory_deinit(&memory);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_blocks_are_aligned_and_apart),
                cmocka_unit_test(test_reuse),
                cmocka_unit_test(test_calloc_zeroes),
                cmocka_unit_test(test_sizes_that_no_memory_has),
                cmocka_unit_test(test_realloc_keeps),
        };

        return cmocka_run_group_tests_name("transport/memory", tests, NULL, NULL);
}
