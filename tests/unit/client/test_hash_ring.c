/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "client/hash_ring.h"
#include "codec/xxhash.h"

#define NAMES 20
#define KEYS 10000

static char texts[NAMES][16];
static const char *names[NAMES];

static void make_names(void)
{
        for (unsigned i = 0; i < NAMES; i++) {
                snprintf(texts[i], sizeof(texts[i]), "10.0.0.%u:80", i);
                names[i] = texts[i];
        }
}

static void build(struct hash_ring *ring, unsigned count, unsigned size_min, unsigned size_max)
{
        uint32_t shares[NAMES];

        for (unsigned i = 0; i < NAMES; i++)
                shares[i] = 7;
        assert_int_equal(hash_ring_build(ring, names, shares, count, size_min, size_max), 0);
}

static unsigned server_of(const struct hash_ring *ring, unsigned key)
{
        char text[16];
        int size = snprintf(text, sizeof(text), "key %u", key);

        return ring->places[hash_ring_find(ring, xxhash64(text, (size_t)size))].index;
}

static void test_sizes(void **state)
{
        static const unsigned sizes[][4] = { /* servers, least, most, places */
                { 1, 1024, 4096, 1024 }, { 3, 1024, 4096, 1026 }, { 10, 1, 4096, 10 },
                { 10, 1024, 100, 100 }, { 20, 1, 8, 8 }, { 0, 1024, 4096, 0 }
        };
        struct hash_ring ring = { 0 };

        (void)state;
        for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
                build(&ring, sizes[i][0], sizes[i][1], sizes[i][2]);
                assert_int_equal(ring.count, sizes[i][3]);
        }
        hash_ring_deinit(&ring);
}

/* The smallest share has a whole number of places, and the others as many times more. */
static void test_shares(void **state)
{
        static const uint32_t shares[][4] = { { 3, 1, 2, 2 }, { 5, 5, 5, 5 },
                { 1, 1, 1, 1 << 22 } };
        static const unsigned counts[][4] = { { 384, 128, 256, 256 }, { 256, 256, 256, 256 },
                { 0, 0, 0, 4096 } };
        struct hash_ring ring = { 0 };

        (void)state;
        for (size_t i = 0; i < sizeof(shares) / sizeof(*shares); i++) {
                unsigned found[4] = { 0 };

                assert_int_equal(hash_ring_build(&ring, names, shares[i], 4, 1024, 4096), 0);
                for (uint32_t at = 0; at < ring.count; at++)
                        found[ring.places[at].index]++;
                assert_memory_equal(found, counts[i], sizeof(found));
        }
        hash_ring_deinit(&ring);
}

/* As many places for each, sorted, each where the specification has it. */
static void test_places(void **state)
{
        struct hash_ring ring = { 0 };
        unsigned counts[4] = { 0 };
        uint64_t first = xxhash64("10.0.0.2:80_0", 13);
        bool has_first = false;

        (void)state;
        build(&ring, 4, 1000, 4096);
        for (uint32_t i = 0; i < ring.count; i++) {
                counts[ring.places[i].index]++;
                has_first |= ring.places[i].hash == first && ring.places[i].index == 2;
                assert_true(i == 0 || ring.places[i - 1].hash <= ring.places[i].hash);
        }
        for (unsigned i = 0; i < 4; i++)
                assert_int_equal(counts[i], 250);
        assert_true(has_first);
        hash_ring_deinit(&ring);
}

/* The first place that is not before the hash; behind the last one comes the first. */
static void test_find(void **state)
{
        struct hash_ring ring = { 0 };

        (void)state;
        build(&ring, 5, 64, 4096);
        for (uint32_t i = 0; i < ring.count; i++) {
                assert_int_equal(hash_ring_find(&ring, ring.places[i].hash), i);
                assert_int_equal(
                        hash_ring_find(&ring, ring.places[i].hash + 1), (i + 1) % ring.count);
        }
        assert_int_equal(hash_ring_find(&ring, 0), 0);
        assert_int_equal(hash_ring_find(&ring, UINT64_MAX), 0);
        hash_ring_deinit(&ring);
}

/* No server has more than twice its share, and without one only its own calls move. */
static void test_few_move(void **state)
{
        struct hash_ring before = { 0 }, after = { 0 };
        unsigned counts[NAMES] = { 0 }, moved = 0;

        (void)state;
        build(&before, NAMES, 4000, 4096);
        build(&after, NAMES - 1, 3800, 4096);
        for (unsigned key = 0; key < KEYS; key++) {
                unsigned was = server_of(&before, key), is = server_of(&after, key);

                counts[was]++;
                if (was != NAMES - 1)
                        assert_int_equal(was, is);
                moved += was != is;
        }
        assert_int_equal(moved, counts[NAMES - 1]);
        for (unsigned i = 0; i < NAMES; i++)
                assert_in_range(counts[i], KEYS / NAMES / 2, KEYS / NAMES * 2);
        hash_ring_deinit(&before);
        hash_ring_deinit(&after);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_sizes),
                cmocka_unit_test(test_shares),
                cmocka_unit_test(test_places),
                cmocka_unit_test(test_find),
                cmocka_unit_test(test_few_move),
        };

        make_names();
        return cmocka_run_group_tests_name("client/hash_ring", tests, NULL, NULL);
}
