/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "apps/quoit-web/query.h"

static upb_Arena *arena;

static int setup(void **state)
{
        (void)state;
        arena = upb_Arena_New();
        return arena ? 0 : -1;
}

static int teardown(void **state)
{
        (void)state;
        upb_Arena_Free(arena);
        return 0;
}

static void assert_value(const char *query, const char *value, size_t size)
{
        upb_StringView found;

        assert_true(query_find(query, "name", arena, &found));
        assert_int_equal(found.size, size);
        assert_memory_equal(found.data, value, size);
}

static void test_where_it_is(void **state)
{
        (void)state;
        assert_value("name=x", "x", 1);
        assert_value("a=b&name=x", "x", 1);
        assert_value("name=x&name=y", "x", 1);
        assert_value("&&name=x&", "x", 1);
        assert_value("names=a&name=x", "x", 1);
        assert_value("name&name=x", "x", 1);
        assert_value("name=a=b", "a=b", 3);
        assert_value("name=", "", 0);
}

static void test_it_is_not_there(void **state)
{
        static const char *const queries[] = { "", "&", "name", "nam=x", "names=x", "a=name=x",
                "Name=x", "%6eame=x" };
        upb_StringView found = upb_StringView_FromString("as it was");

        (void)state;
        for (size_t i = 0; i < sizeof(queries) / sizeof(*queries); i++)
                assert_false(query_find(queries[i], "name", arena, &found));
        assert_string_equal(found.data, "as it was");
}

static void test_what_stands_for_others(void **state)
{
        (void)state;
        assert_value("name=a+b%20c", "a b c", 5);
        assert_value("name=%41%7a%C3%a9", "Az\303\251", 4);
        assert_value("name=%00x", "\0x", 2);
        assert_value("name=%26%3D%2B%25", "&=+%", 4);
        /* broken ones */
        assert_value("name=%", "%", 1);
        assert_value("name=%4", "%4", 2);
        assert_value("name=%4&x", "%4", 2);
        assert_value("name=%zz%4z%z4", "%zz%4z%z4", 9);
}

static void test_without_memory(void **state)
{
        upb_StringView found;

        (void)state;
        assert_false(query_find("name=x", "name", NULL, &found));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_where_it_is),
                cmocka_unit_test(test_it_is_not_there),
                cmocka_unit_test(test_what_stands_for_others),
                cmocka_unit_test(test_without_memory),
        };

        return cmocka_run_group_tests(tests, setup, teardown);
}
