/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "codec/compression.h"

#define IDENTITY (1u << QUOIT_IDENTITY)
#define DEFLATE (1u << QUOIT_DEFLATE)
#define GZIP (1u << QUOIT_GZIP)
#define ZSTD (1u << QUOIT_ZSTD)

static const struct {
        const char *list;
        compression_set set;
} lists[] = {
        { "", IDENTITY },
        { "identity", IDENTITY },
        { "gzip", IDENTITY | GZIP },
        { "identity, deflate, gzip", IDENTITY | DEFLATE | GZIP },
        { "gzip,zstd", IDENTITY | GZIP | ZSTD },
        { " \tgzip\t , zstd ", IDENTITY | GZIP | ZSTD },
        { ",,gzip,", IDENTITY | GZIP },
        { "br,snappy", IDENTITY },
        { "gzi,gzipp", IDENTITY },
        { "GZIP,gzip;q=1", IDENTITY | GZIP },
        { "gzip;q=0", IDENTITY },
        { "gzip;q=0, *", IDENTITY | DEFLATE | ZSTD },
        { "*;q=0, gzip", GZIP },
        { "*", IDENTITY | DEFLATE | GZIP | ZSTD },
        { "gzip ; Q=0.001 , zstd;q=0.000,deflate;q=.5", IDENTITY | GZIP | DEFLATE },
        { "gzip;q=0.5, identity", IDENTITY },
        { "gzip;q=0.5, identity;q=0.4,zstd;q=0.25", IDENTITY | GZIP },
        { "identity;q=0", 0 },
        { "identity;q=0, br", 0 },
        { "identity;q=0, zstd, gzip;q=0.1", ZSTD | GZIP },
        { "*;q=0", 0 },
        { "*;q=0,identity", IDENTITY },
        { "gzip;q=x", IDENTITY },
        { "gzip;level=1", IDENTITY | GZIP },
        { "gzip;q=9", IDENTITY | GZIP },
        { "gzip;", IDENTITY | GZIP },
        { "x-a-list-longer-than-what-is-remembered-of-the-last-one,and-then-some,gzip",
                IDENTITY | GZIP },
};

#define LISTS (sizeof(lists) / sizeof(*lists))

static void test_lists(void **state)
{
        (void)state;
        for (size_t i = 0; i < LISTS; i++)
                assert_int_equal(
                        compression_parse_list(lists[i].list, strlen(lists[i].list)), lists[i].set);
}

/* Each behind each other, and behind itself. */
static void test_the_cache_changes_nothing(void **state)
{
        struct compression_cache cache = { 0 };

        (void)state;
        for (size_t i = 0; i < LISTS * LISTS; i++) {
                size_t pair[] = { i / LISTS, i % LISTS, i % LISTS };

                for (size_t j = 0; j < 3; j++)
                        assert_int_equal(compression_cache_parse(&cache, lists[pair[j]].list,
                                                 strlen(lists[pair[j]].list)),
                                lists[pair[j]].set);
        }
}

static void test_names(void **state)
{
        (void)state;
        for (int i = QUOIT_IDENTITY; i <= QUOIT_ZSTD; i++) {
                const char *name = compression_name((quoit_compression)i);
                quoit_compression algorithm = QUOIT_IDENTITY;

                assert_int_equal(compression_parse(name, strlen(name), &algorithm), 0);
                assert_int_equal(algorithm, i);
                assert_true(compression_has(
                        compression_parse_list(COMPRESSION_LIST, strlen(COMPRESSION_LIST)),
                        (quoit_compression)i));
                assert_true(compression_parse(name, strlen(name) - 1, &algorithm) < 0);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_lists),
                cmocka_unit_test(test_the_cache_changes_nothing),
                cmocka_unit_test(test_names),
        };

        return cmocka_run_group_tests_name("codec/compression", tests, NULL, NULL);
}
