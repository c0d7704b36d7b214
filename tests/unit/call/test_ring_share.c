/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "call/ring_share.h"

#define MAX 1000

static bool comes(struct ring_share *share, uint64_t turn)
{
        return ring_share_allows(share, turn, MAX, false);
}

static bool is_in_line(struct ring_share *share, uint64_t turn)
{
        return ring_share_allows(share, turn, MAX, true);
}

static void test_a_turn_is_bounded(void **state)
{
        struct ring_share share = { 0 };

        (void)state;
        assert_true(comes(&share, 1));
        ring_share_take(&share, 1, MAX);
        assert_true(comes(&share, 1)); /* one more, whatever it costs */
        ring_share_take(&share, 1, 50 * MAX);
        assert_false(comes(&share, 1));
        assert_false(is_in_line(&share, 1));
        assert_true(is_in_line(&share, 2));
}

static void test_nobody_overtakes_the_line(void **state)
{
        struct ring_share share = { 0 };

        (void)state;
        for (uint64_t turn = 1; turn < 10; turn++) {
                /* in each turn the time is used up before the line is served */
                assert_int_equal(comes(&share, turn), turn == 1);
                assert_true(is_in_line(&share, turn));
                ring_share_take(&share, turn, 2 * MAX);
                assert_false(is_in_line(&share, turn));
        }
        assert_false(comes(&share, 10));
        assert_true(
                is_in_line(&share, 10)); /* the last in line, and the one that has just joined it */
        assert_true(is_in_line(&share, 10));
        assert_true(comes(&share, 11));
}

/* After one or many crowded turns a single call is served at once: in the next turn, or any time later. */
static void test_no_refusal_sticks(void **state)
{
        (void)state;
        for (uint64_t pause = 1; pause < 1000; pause *= 3) {
                struct ring_share share = { 0 };
                uint64_t turn = 5;

                ring_share_take(&share, turn, 2 * MAX);
                assert_false(comes(&share, turn));
                assert_false(is_in_line(&share, turn));
                turn++;
                assert_false(comes(&share, turn));
                assert_true(is_in_line(&share, turn));
                assert_true(is_in_line(&share, turn));
                for (int i = 0; i < 5; i++) {
                        turn += pause;
                        assert_true(comes(&share, turn));
                        ring_share_take(&share, turn, MAX / 2);
                }
        }
}

/* A call that waited in line, and was freed with its connection, does not delay others. */
static void test_a_line_that_is_gone(void **state)
{
        struct ring_share share = { 0 };

        (void)state;
        ring_share_take(&share, 1, 2 * MAX);
        assert_false(is_in_line(&share, 1));
        assert_true(comes(&share, 3));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_a_turn_is_bounded),
                cmocka_unit_test(test_nobody_overtakes_the_line),
                cmocka_unit_test(test_no_refusal_sticks),
                cmocka_unit_test(test_a_line_that_is_gone),
        };

        return cmocka_run_group_tests_name("call/ring-share", tests, NULL, NULL);
}
