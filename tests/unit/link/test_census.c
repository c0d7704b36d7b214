/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "link/census.h"
#include "link/connection.h"

#define COUNT 20000

static const struct connection connection = { .peer.address = "ipv4:192.0.2.1:1" };

static struct census_entry *add_many(struct census *census, unsigned count)
{
        struct census_entry *entries = calloc(count, sizeof(*entries));

        assert_non_null(entries);
        census_init(census);
        for (unsigned i = 0; i < count; i++) {
                entries[i].id = 2 * i + 1; /* the even ones are another ring's */
                entries[i].connection = &connection;
                census_add(census, entries + i);
        }
        return entries;
}

static unsigned depth(const struct census_entry *root)
{
        unsigned lower = root ? depth(root->lower) : 0;
        unsigned higher = root ? depth(root->higher) : 0;

        return root ? 1 + (lower > higher ? lower : higher) : 0;
}

/* Asserts the depth of the tree. A random one of 20,000 is some 35 deep, and practically never 64. */
static void assert_flat(const struct census *census)
{
        assert_in_range(depth(census->root), 0, 64);
}

static void test_order(void **state)
{
        struct census census;
        struct census_entry *entries = add_many(&census, COUNT);
        quoit_connection_statistics read;

        (void)state;
        assert_flat(&census);
        for (unsigned i = 0; i < COUNT; i++) {
                assert_int_equal(census_next(&census, 2 * i), 2 * i + 1);
                assert_int_equal(census_next(&census, 2 * i + 1), 2 * i + 1);
                assert_true(census_read(&census, 2 * i + 1, &read));
                assert_int_equal(read.id, 2 * i + 1);
                assert_false(census_read(&census, 2 * i, &read));
        }
        assert_int_equal(census_next(&census, 2 * COUNT), CENSUS_NONE);
        assert_int_equal(census_next(&census, CENSUS_NONE), CENSUS_NONE);
        assert_string_equal(read.peer_address, "ipv4:192.0.2.1:1");
        free(entries);
        census_deinit(&census);
}

/* Which connections a peer closes: all but the last hundred, or the first; all but every hundredth; random ones. */
static bool goes(unsigned pattern, unsigned i)
{
        switch (pattern) {
        case 0:
                return i < COUNT - 100;
        case 1:
                return i >= 100;
        case 2:
                return i % 100 != 0;
        default:
                return random() % 2;
        }
}

static void remove_some(struct census *census, struct census_entry *entries, unsigned pattern)
{
        bool *gone = calloc(COUNT, sizeof(*gone));
        uint64_t id = 0;

        for (unsigned i = 0; i < COUNT; i++) {
                gone[i] = goes(pattern, i);
                if (gone[i])
                        census_remove(census, entries + i);
        }
        for (unsigned i = 0; i < COUNT; i++) {
                if (gone[i])
                        continue;
                id = census_next(census, id);
                assert_int_equal(id++, entries[i].id);
        }
        assert_int_equal(census_next(census, id), CENSUS_NONE);
        free(gone);
}

static void test_removal(void **state)
{
        (void)state;
        for (unsigned pattern = 0; pattern < 4; pattern++) {
                struct census census;
                struct census_entry *entries = add_many(&census, COUNT);

                remove_some(&census, entries, pattern);
                assert_flat(&census);
                free(entries);
                census_deinit(&census);
        }
}

/* Connections that stay do not disturb those that open and close, and at the end the tree is empty. */
static void test_churn(void **state)
{
        struct census census;
        struct census_entry *entries = add_many(&census, 100);

        (void)state;
        for (uint64_t id = 1000; id < 1000 + COUNT; id++) {
                struct census_entry *oldest = entries + id % 100;

                census_remove(&census, oldest);
                oldest->id = id;
                census_add(&census, oldest);
                assert_int_equal(census_next(&census, id), id);
        }
        assert_int_equal(census_next(&census, 0), 1000 + COUNT - 100);
        assert_in_range(depth(census.root), 1, 40);
        for (unsigned i = 0; i < 100; i++)
                census_remove(&census, entries + i);
        assert_null(census.root);
        free(entries);
        census_deinit(&census);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_order),
                cmocka_unit_test(test_removal),
                cmocka_unit_test(test_churn),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
