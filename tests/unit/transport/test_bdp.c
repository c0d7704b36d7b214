/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "transport/bdp.h"

#define MS 1000000ull
#define KIB 1024u
#define MAX (1024 * KIB)

/* A round trip of @rtt_ms in which @bytes come. */
static bool round_trip(struct bdp *bdp, uint64_t rtt_ms, uint32_t bytes)
{
        while (!bdp_received(bdp, bdp->window_bytes / 4))
                continue;
        bdp_ask(bdp, 1000 * MS);
        assert_false(bdp_received(bdp, bytes)); /* one PING at a time */
        return bdp_answered(bdp, MAX, (1000 + rtt_ms) * MS);
}

static void test_windows_that_are_filled_grow(void **state)
{
        struct bdp bdp;

        (void)state;
        bdp_init(&bdp, 64 * KIB);
        for (uint32_t kib = 64; kib < 1024; kib *= 2) {
                assert_int_equal(bdp.window_bytes, kib * KIB);
                assert_true(round_trip(&bdp, 100, kib * KIB / 2));
        }
        assert_int_equal(bdp.window_bytes, MAX);
        assert_false(round_trip(&bdp, 100, MAX));
        assert_int_equal(bdp.window_bytes, MAX);
}

static void test_others_do_not(void **state)
{
        struct bdp bdp;

        (void)state;
        bdp_init(&bdp, 64 * KIB);
        assert_false(round_trip(&bdp, 100, 20 * KIB)); /* not filled */
        assert_true(round_trip(&bdp, 100, 32 * KIB));
        /* twice the window takes twice the time: the path is full, not the window */
        assert_false(round_trip(&bdp, 200, 64 * KIB));
        assert_int_equal(bdp.window_bytes, 128 * KIB);
}

/* Windows that were made smaller because there were many streams grow again when these are gone, on the same path. */
static void test_they_grow_again(void **state)
{
        struct bdp bdp;

        (void)state;
        bdp_init(&bdp, 64 * KIB);
        for (int i = 0; i < 3; i++) {
                assert_true(round_trip(&bdp, 100, 32 * KIB));
                assert_true(round_trip(&bdp, 100, 64 * KIB));
                bdp_restart(&bdp, 64 * KIB);
        }
}

static void test_an_answer_that_nobody_asked_for(void **state)
{
        struct bdp bdp;

        (void)state;
        bdp_init(&bdp, 64 * KIB);
        (void)bdp_received(&bdp, 1000 * KIB);
        assert_false(bdp_answered(&bdp, MAX, 5 * MS));
        assert_int_equal(bdp.window_bytes, 64 * KIB);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_windows_that_are_filled_grow),
                cmocka_unit_test(test_others_do_not),
                cmocka_unit_test(test_they_grow_again),
                cmocka_unit_test(test_an_answer_that_nobody_asked_for),
        };

        return cmocka_run_group_tests_name("transport/bdp", tests, NULL, NULL);
}
