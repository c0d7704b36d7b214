/* SPDX-License-Identifier: MIT */
#include "harness.h"

#include "core/poison.h"
#include "core/slab.h"

static void test_recycles_without_growing(void **state)
{
        struct slab slab;
        void *objects[100];
        size_t total;

        (void)state;
        slab_init(&slab, 24, 16);
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
        assert_int_equal(total, 112);
        slab_free(&slab, NULL);
        slab_deinit(&slab);
}

static void test_last_freed_is_next(void **state)
{
        struct slab slab;
        void *first, *second;

        (void)state;
        slab_init(&slab, 1, 4);
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
        slab_init(&slab, 64, 4);
        object = slab_alloc(&slab);
        assert_null(__asan_region_is_poisoned(object, 64));
        slab_free(&slab, object);
        assert_non_null(__asan_region_is_poisoned(object, 64));
        slab_deinit(&slab);
#else
        (void)state;
        skip();
#endif
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_recycles_without_growing),
                cmocka_unit_test(test_last_freed_is_next),
                cmocka_unit_test(test_free_objects_are_poisoned),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
