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
#include "core/poison.h"
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
        assert_true(memory.malloc_bytes > memory.mallocs * 3584);
        for (size_t i = 0; i < 1500; i++) {
                for (size_t j = 0; j < i * 13; j++)
                        assert_int_equal(((uint8_t *)blocks[i])[j], i & 0xff);
                memory.h2.free(blocks[i], &memory);
        }
        assert_int_equal(memory.live, 0);
        assert_int_equal(memory.malloc_bytes, 0);
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
        assert_ptr_equal(memory.h2.malloc(16386, &memory), frame);
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

/* ---- what goes back ---- */

static void *malloc_of(struct memory *memory, size_t size)
{
        uint8_t *block = memory->h2.malloc(size, memory);

        assert_non_null(block);
        memset(block, (int)(size & 0xff), size);
        return block;
}

static void free_of(struct memory *memory, uint8_t *block, size_t size)
{
        for (size_t i = 0; i < size; i++)
                assert_int_equal(block[i], size & 0xff);
        memory->h2.free(block, memory);
}

static void assert_empty(struct memory *memory)
{
        /* one may be left out, as the last had found little */
        for (unsigned i = 0; i < 20 && memory->pages.regions; i++)
                memory_trim(memory);
        assert_int_equal(memory->live, 0);
        /* with little left it rests */
        assert_true(memory->pages.fronts + memory->pages.frames < 64);
        memory_deinit(memory);
}

/* How many pages so many blocks take where there was nothing else. */
static size_t pages_of(size_t size, size_t count)
{
        void **blocks = malloc(count * sizeof(*blocks));
        struct memory memory;
        size_t pages;

        memory_init(&memory);
        for (size_t i = 0; i < count; i++)
                blocks[i] = malloc_of(&memory, size);
        pages = memory.pages.fronts;
        for (size_t i = 0; i < count; i++)
                free_of(&memory, blocks[i], size);
        memory_deinit(&memory);
        free(blocks);
        return pages;
}

/* A peer that asks for another size each time: what one round needs, the next ones find. */
static void test_rounds_of_other_sizes(void **state)
{
        enum { ROUNDS = 40, BYTES = 4 << 20, LASTING = 20 };
        static uint8_t *blocks[BYTES / 16];
        uint8_t *lasting[ROUNDS][LASTING];
        struct memory memory;
        size_t pages_max = 0, needed_max = 0;

        (void)state;
        memory_init(&memory);
        for (size_t round = 0; round < ROUNDS; round++) {
                size_t size = 16 + round * 88;
                size_t count = BYTES / (size + 8);

                for (size_t i = 0; i < count; i++)
                        blocks[i] = malloc_of(&memory, size);
                if (memory.pages.fronts > pages_max)
                        pages_max = memory.pages.fronts;
                if (pages_of(size, count) > needed_max)
                        needed_max = pages_of(size, count);
                for (size_t i = 0; i < count; i++) {
                        if (i % (count / LASTING) == 0 && i / (count / LASTING) < LASTING)
                                lasting[round][i / (count / LASTING)] = blocks[i];
                        else
                                free_of(&memory, blocks[i], size);
                }
                assert_int_equal(memory.live, (round + 1) * LASTING);
        }
        assert_true(pages_max < needed_max / 2 * 5);
        for (unsigned i = 0; i < 4; i++)
                memory_trim(&memory);
        /* a page for each that lasts, at the most, and what the last round had cut and shares with it */
        assert_true(memory.pages.fronts <= ROUNDS * LASTING + 64);
        for (size_t round = 0; round < ROUNDS; round++)
                for (size_t i = 0; i < LASTING; i++)
                        free_of(&memory, lasting[round][i], 16 + round * 88);
        assert_empty(&memory);
}

/* Anything at any time, and a trim now and then: what is in use is never touched. */
static void test_trims_at_random(void **state)
{
        enum { SLOTS = 6000, STEPS = 400000 };
        static uint8_t *blocks[SLOTS];
        static size_t sizes[SLOTS];
        struct memory memory;
        uint64_t seed = 11;
        size_t live = 0;

        (void)state;
        memory_init(&memory);
        for (unsigned step = 0; step < STEPS; step++) {
                size_t range = step / 50000 % 2 ? SLOTS : SLOTS / 20; /* a peak, and less */
                size_t i = random_upto(&seed, SLOTS - 1);

                if (blocks[i]) {
                        free_of(&memory, blocks[i], sizes[i]);
                        blocks[i] = NULL;
                        live--;
                } else if (i < range) {
                        sizes[i] =
                                random_upto(&seed, 30) == 1 ? 16384 : 1 + random_upto(&seed, 3700);
                        blocks[i] = malloc_of(&memory, sizes[i]);
                        live++;
                }
                assert_int_equal(memory.live, live);
                if (random_upto(&seed, 2000) == 1)
                        memory_trim(&memory);
        }
        for (size_t i = 0; i < SLOTS; i++)
                if (blocks[i])
                        free_of(&memory, blocks[i], sizes[i]);
        memset(blocks, 0, sizeof(blocks));
        assert_empty(&memory);
}

/* A working set comes and goes between trims: none of it goes back, so none of it is taken anew. */
static void test_steady_state(void **state)
{
        enum { COUNT = 4000 };
        static uint8_t *blocks[COUNT];
        struct memory memory;
        size_t fronts = 0, cut = 0;

        (void)state;
        memory_init(&memory);
        for (unsigned round = 0; round < 12; round++) {
                for (size_t i = 0; i < COUNT; i++)
                        blocks[i] = malloc_of(&memory, i % 10 ? 16 + i % 50 * 20 : 16000);
                for (size_t i = 0; i < COUNT; i++)
                        free_of(&memory, blocks[i], i % 10 ? 16 + i % 50 * 20 : 16000);
                memory_trim(&memory);
                if (round == 2) {
                        fronts = memory.pages.fronts;
                        cut = memory.cut;
                }
        }
        assert_int_equal(memory.pages.fronts, fronts);
        assert_int_equal(memory.cut, cut);
        assert_empty(&memory);
}

/* Freed blocks stay poisoned, whatever became of the others. */
static void test_free_blocks_stay_poisoned(void **state)
{
#ifdef POISON_ASAN
        enum { COUNT = 3000, SIZE = 200 };
        static uint8_t *blocks[COUNT];
        struct memory memory;

        (void)state;
        memory_init(&memory);
        for (size_t i = 0; i < COUNT; i++)
                blocks[i] = malloc_of(&memory, SIZE);
        for (size_t i = 0; i < COUNT; i++)
                if (i % 7 != 0)
                        free_of(&memory, blocks[i], SIZE);
        for (unsigned i = 0; i < 4; i++) {
                for (size_t k = 0; k < COUNT; k++)
                        assert_int_equal(
                                __asan_region_is_poisoned(blocks[k], SIZE) != NULL, k % 7 != 0);
                memory_trim(&memory);
        }
        for (size_t i = 0; i < COUNT; i += 7)
                free_of(&memory, blocks[i], SIZE);
        assert_empty(&memory);
#else
        (void)state;
        print_message("AddressSanitizer is what this is about\n");
        skip();
#endif
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_blocks_are_aligned_and_apart),
                cmocka_unit_test(test_reuse),
                cmocka_unit_test(test_calloc_zeroes),
                cmocka_unit_test(test_sizes_that_no_memory_has),
                cmocka_unit_test(test_realloc_keeps),
                cmocka_unit_test(test_rounds_of_other_sizes),
                cmocka_unit_test(test_trims_at_random),
                cmocka_unit_test(test_steady_state),
                cmocka_unit_test(test_free_blocks_stay_poisoned),
        };

        return cmocka_run_group_tests_name("transport/memory", tests, NULL, NULL);
}
