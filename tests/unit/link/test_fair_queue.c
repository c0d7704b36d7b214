/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/list.h"
#include "link/fair_queue.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

enum { PIECES_MAX = 32 };

/* A piece of an owner, and its expected place in the order. */
struct expected {
        unsigned owner;
        bool is_small;
        unsigned at;
};

static void take_all(struct turn *turns, const struct expected *expected, unsigned count)
{
        struct piece pieces[PIECES_MAX] = { 0 };
        struct fair_queue queue;

        fair_queue_init(&queue);
        /* the first is taken before the others come */
        for (unsigned i = 0; i < count; i++) {
                fair_queue_put(&queue, pieces + i, turns + expected[i].owner, expected[i].is_small);
                if (i == 0)
                        assert_ptr_equal(fair_queue_take(&queue), pieces);
        }
        for (unsigned at = 1; at < count; at++)
                assert_int_equal(expected[fair_queue_take(&queue) - pieces].at, at);
        assert_int_equal(queue.queued + queue.known, 0);
}

/* Of owners without a network; of each the newest is next. */
static void test_turns(void **state)
{
        struct turn turns[3] = { 0 };
        static const struct expected expected[] = {
                { 0, false, 0 },
                { 0, false, 5 },
                { 0, true, 1 },
                { 0, false, 2 },
                { 1, false, 8 },
                { 1, false, 7 },
                { 1, false, 6 },
                { 1, false, 3 },
                { 2, false, 4 },
        };

        (void)state;
        take_all(turns, expected, COUNT(expected));
}

/* However many owners a network has: known owners do not wait for them, nor does another network. */
static void test_networks_take_turns(void **state)
{
        struct turn turns[12] = { 0 };
        static const struct expected expected[] = {
                { 2, false, 0 }, { 3, false, 7 }, { 4, false, 6 }, { 5, false, 5 }, { 6, false, 4 },
                { 7, false, 1 }, { 8, false, 2 }, /* of another network */
                { 9, false, 3 }, /* known, of the first one */
        };

        (void)state;
        for (unsigned i = 2; i < 12; i++)
                turns[i].network = turns + (i == 8);
        turns[9].is_known = true;
        take_all(turns, expected, COUNT(expected));
        assert_int_equal(turns[0].queued + turns[1].queued + turns[9].queued, 0);
}

/* New owners, each with its own network, do not keep an earlier one waiting for ever. */
static void test_ever_new_networks(void **state)
{
        struct turn turns[9] = { 0 };
        static const struct expected expected[] = {
                { 0, false, 0 },
                { 0, false, 1 },
                { 1, false, 2 },
                { 2, false, 3 },
                { 3, false, 4 },
                { 4, false, 5 },
                { 5, false, 6 },
        };

        (void)state;
        take_all(turns, expected, COUNT(expected));
}

/* Small pieces come first, but a large one after some of them. */
static void test_small_pieces(void **state)
{
        struct turn turns[2] = { 0 };
        struct expected expected[23] = { { 0, false, 0 }, { 0, false, 19 }, { 0, false, 9 } };

        (void)state;
        for (unsigned i = 3; i < 23; i++)
                expected[i] = (struct expected){ 1, true, 0 };
        /* the newest first: eight, a large one, eight, ... */
        for (unsigned i = 22, at = 1; i >= 3; i--, at++) {
                at += at == 9 || at == 18;
                expected[i].at = at;
        }
        expected[1].at = 18;
        take_all(turns, expected, 23);
}

/* The owner or network with the most pieces loses one, its oldest. */
static void test_who_has_the_most_gives_up(void **state)
{
        struct turn turns[8] = { 0 };
        struct piece pieces[7] = { 0 };
        struct fair_queue queue;
        /* 0 and 1 are networks; of the second one there is a single piece, and it is the oldest */
        static const unsigned owner_of[] = { 3, 4, 5, 6, 7, 7, 7 };
        static const int gives_up[] = { -1, -1, -1, 1, 2, 4, 5 };

        (void)state;
        for (unsigned i = 2; i < 8; i++)
                turns[i].network = turns + (i == 3);
        fair_queue_init(&queue);
        for (unsigned i = 0; i < COUNT(pieces); i++) {
                fair_queue_put(&queue, pieces + i, turns + owner_of[i], false);
                if (gives_up[i] >= 0)
                        assert_ptr_equal(fair_queue_give_up(&queue), pieces + gives_up[i]);
        }
        assert_int_equal(queue.queued, 3);
        assert_int_equal(turns[0].queued, 2);
        assert_int_equal(turns[1].queued, 1);
}

enum { NETWORKS = 10 };

/* Turns 0 to NETWORKS - 1 are networks, each with an unknown owner NETWORKS behind; the last one is known. */
static void init_turns(struct turn turns[2 * NETWORKS + 1])
{
        for (unsigned i = 0; i < NETWORKS; i++)
                turns[NETWORKS + i].network = turns + i;
        turns[2 * NETWORKS].is_known = true;
}

/* A known owner that has more than each of many others keeps all it has. */
static void test_unknown_ones_give_up_first(void **state)
{
        struct turn turns[2 * NETWORKS + 1] = { 0 };
        struct piece known[3] = { 0 }, unknown[NETWORKS] = { 0 };
        struct fair_queue queue;

        (void)state;
        init_turns(turns);
        fair_queue_init(&queue);
        for (unsigned i = 0; i < COUNT(known); i++)
                fair_queue_put(&queue, known + i, turns + 2 * NETWORKS, i > 0);
        for (unsigned i = 0; i < NETWORKS; i++) {
                fair_queue_put(&queue, unknown + i, turns + NETWORKS + i, true);
                if (i >= 3) /* the oldest */
                        assert_ptr_equal(fair_queue_give_up(&queue), unknown + i - 3);
        }
        assert_int_equal(queue.known, COUNT(known));
        assert_int_equal(queue.queued, 2 * COUNT(known));
}

/* A known owner that wants ever more does not keep out the others. */
static void test_known_ones_have_half(void **state)
{
        struct turn turns[2 * NETWORKS + 1] = { 0 };
        struct piece known[NETWORKS] = { 0 }, unknown[2] = { 0 };
        struct fair_queue queue;

        (void)state;
        init_turns(turns);
        fair_queue_init(&queue);
        for (unsigned i = 0; i < 2; i++)
                fair_queue_put(&queue, unknown + i, turns + NETWORKS + i, false);
        for (unsigned i = 0; i < NETWORKS; i++) {
                fair_queue_put(&queue, known + i, turns + 2 * NETWORKS, true);
                if (i >= 2)
                        assert_ptr_equal(fair_queue_give_up(&queue), known + i - 2);
        }
        assert_int_equal(queue.known, 2);
        assert_int_equal(queue.queued, 4);
}

/* What an owner has queued counts for itself as soon as it is known. */
static void test_who_becomes_known(void **state)
{
        struct turn turns[2 * NETWORKS + 1] = { 0 };
        struct piece pieces[4] = { 0 };
        struct fair_queue queue;

        (void)state;
        init_turns(turns);
        fair_queue_init(&queue);
        for (unsigned i = 0; i < 3; i++)
                fair_queue_put(&queue, pieces + i, turns + NETWORKS + (i > 0), false);
        for (unsigned i = 0; i < 2; i++) { /* twice is once */
                fair_queue_know(&queue, turns + NETWORKS);
                assert_int_equal(turns[0].queued, 0);
                assert_int_equal(queue.known, 1);
        }
        assert_ptr_equal(fair_queue_give_up(&queue), pieces + 1);
        fair_queue_put(&queue, pieces + 3, turns + NETWORKS, true);
        assert_int_equal(queue.known, 2);
        while (queue.queued > 0)
                fair_queue_take(&queue);
        assert_int_equal(queue.known + turns[NETWORKS].queued + turns[1].queued, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_turns),
                cmocka_unit_test(test_networks_take_turns),
                cmocka_unit_test(test_ever_new_networks),
                cmocka_unit_test(test_small_pieces),
                cmocka_unit_test(test_who_has_the_most_gives_up),
                cmocka_unit_test(test_unknown_ones_give_up_first),
                cmocka_unit_test(test_known_ones_have_half),
                cmocka_unit_test(test_who_becomes_known),
        };

        return cmocka_run_group_tests_name("link/fair_queue", tests, NULL, NULL);
}
