/* SPDX-License-Identifier: MIT */
#include "harness.h"

#include <stdio.h>
#include <unistd.h>

#include "core/mapping.h"
#include "core/poison.h"
#include "core/slab.h"

static void test_recycles_without_growing(void **state)
{
        struct slab slab;
        void *objects[100];
        size_t total;

        (void)state;
        slab_init(&slab, 24);
        assert_int_equal(slab.total, 0);
        for (unsigned round = 0; round < 3; round++) {
                for (unsigned i = 0; i < 100; i++) {
                        objects[i] = slab_alloc(&slab);
                        assert_non_null(objects[i]);
                        assert_int_equal((uintptr_t)objects[i] % 16, 0);
                        memset(objects[i], (int)i, 24);
                }
                for (unsigned i = 0; i < 100; i++)
                        for (unsigned byte = 0; byte < 24; byte++)
                                assert_int_equal(((unsigned char *)objects[i])[byte], i);
                assert_int_equal(slab.live, 100);
                if (round > 0)
                        assert_int_equal(slab.total, total);
                total = slab.total;
                for (unsigned i = 0; i < 100; i++)
                        slab_free(&slab, objects[i]);
                assert_int_equal(slab.live, 0);
        }
        assert_int_equal(total, 100);
        slab_free(&slab, NULL);
        slab_deinit(&slab);
}

static void test_last_freed_is_next(void **state)
{
        struct slab slab;
        void *first, *second;

        (void)state;
        slab_init(&slab, 1);
        first = slab_alloc(&slab);
        second = slab_alloc(&slab);
        slab_free(&slab, first);
        assert_ptr_equal(slab_alloc(&slab), first);
        slab_free(&slab, second);
        slab_free(&slab, first);
        slab_deinit(&slab);
}

static void test_free_objects_are_poisoned(void **state)
{
#ifdef POISON_ASAN
        struct slab slab;
        void *object;

        (void)state;
        slab_init(&slab, 64);
        object = slab_alloc(&slab);
        assert_null(__asan_region_is_poisoned(object, 64));
        slab_free(&slab, object);
        assert_non_null(__asan_region_is_poisoned(object, 64));
        slab_deinit(&slab);
#else
        (void)state;
        print_message("AddressSanitizer is what this is about\n");
        skip();
#endif
}

#ifndef POISON_ASAN
static size_t resident_bytes(void)
{
        FILE *file = fopen("/proc/self/statm", "r");
        size_t pages = 0;

        assert_non_null(file);
        assert_int_equal(fscanf(file, "%*u %zu", &pages), 1);
        fclose(file);
        return pages * (size_t)sysconf(_SC_PAGESIZE);
}
#endif

/* Of many objects a few stay: those that nobody needs go, at the second trim, and these keep what is in them. */
static void test_trim(void **state)
{
        enum { COUNT = 50000, BYTES = 400, EVERY = 5000 };
        static unsigned char *objects[COUNT];
        struct slab slab;

        (void)state;
        slab_init(&slab, BYTES);
        for (unsigned i = 0; i < COUNT; i++) {
                objects[i] = slab_alloc(&slab);
                memset(objects[i], (int)i, BYTES);
        }
        for (unsigned i = 0; i < COUNT; i++)
                if (i % EVERY != 0)
                        slab_free(&slab, objects[i]);
        assert_int_equal(slab_trim(&slab), (size_t)COUNT * BYTES);
        assert_true(slab_trim(&slab) < (size_t)COUNT / EVERY * slab.chunk_bytes);
        assert_int_equal(slab.live, COUNT / EVERY);
        for (unsigned i = 0; i < COUNT; i += EVERY) {
                for (unsigned byte = 0; byte < BYTES; byte++)
                        assert_int_equal(objects[i][byte], i & 0xff);
                slab_free(&slab, objects[i]);
        }
        for (unsigned i = 0; i < 4; i++) /* one may be left out, as the last had found little */
                slab_trim(&slab);
        assert_int_equal(slab.total, 0);
        slab_deinit(&slab);
}

/* What was needed in between stays, whoever else was free. */
static void test_trim_leaves_what_is_in_use_now_and_then(void **state)
{
        enum { PEAK = 20000, COUNT = 6000, BYTES = 256 };
        static void *objects[PEAK];
        struct slab slab;
        size_t made = 0;

        (void)state;
        slab_init(&slab, BYTES);
        for (unsigned round = 0; round < 40; round++) {
                unsigned count = round == 0 ? PEAK : COUNT;

                for (unsigned i = 0; i < count; i++) {
                        objects[i] = slab_alloc(&slab);
                        memset(objects[i], 1, BYTES);
                }
                for (unsigned i = 0; i < count; i++)
                        slab_free(&slab, objects[i]);
                slab_trim(&slab);
                if (round == 30)
                        made = mappings_made();
        }
        assert_true(slab.total < PEAK / 2);
        assert_int_equal(mappings_made(), made);
        slab_deinit(&slab);
}

/* One in use in each chunk holds its chunk, but not the pages of the others. */
static void test_trim_of_large_objects(void **state)
{
#ifdef POISON_ASAN
        (void)state;
        print_message("AddressSanitizer decides what is resident\n");
        skip();
#else
        enum { COUNT = 600, BYTES = 32 << 10, EVERY = 15 };
        static unsigned char *objects[COUNT];
        struct slab slab;
        size_t before, peak, after;

        (void)state;
        slab_init(&slab, BYTES);
        before = resident_bytes();
        for (unsigned i = 0; i < COUNT; i++) {
                objects[i] = slab_alloc(&slab);
                memset(objects[i], 1, BYTES);
        }
        peak = resident_bytes();
        for (unsigned i = 0; i < COUNT; i++)
                if (i % EVERY != 0)
                        slab_free(&slab, objects[i]);
        for (unsigned i = 0; i < 3; i++)
                slab_trim(&slab);
        after = resident_bytes();
        assert_true(peak - before > (size_t)COUNT * BYTES / 10 * 9);
        assert_true(after - before < (peak - before) / 3);
        for (unsigned i = 0; i < COUNT; i += EVERY)
                slab_free(&slab, objects[i]);
        slab_deinit(&slab);
#endif
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_recycles_without_growing),
                cmocka_unit_test(test_last_freed_is_next),
                cmocka_unit_test(test_free_objects_are_poisoned),
                cmocka_unit_test(test_trim),
                cmocka_unit_test(test_trim_leaves_what_is_in_use_now_and_then),
                cmocka_unit_test(test_trim_of_large_objects),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
