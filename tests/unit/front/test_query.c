/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "front/query.h"
#include "front/url.h"

/* The pairs as "<name>=<value>". */
static void check(const char *text, const char *expected)
{
        upb_StringView query = upb_StringView_FromString(text);
        struct query_pair pair;
        char out[256] = "", *end = out;

        while (query_next(&query, &pair))
                end += sprintf(end, "<%.*s>=<%.*s>", (int)pair.name.size, pair.name.data,
                        (int)pair.value.size, pair.value.data);
        assert_string_equal(out, expected);
}

static void test_pairs(void **state)
{
        (void)state;
        check("", "");
        check("a=1", "<a>=<1>");
        check("a=1&b.c=2&a=3", "<a>=<1><b.c>=<2><a>=<3>");
        check("&&a=1&&", "<a>=<1>");
        check("a", "<a>=<>");
        check("a=", "<a>=<>");
        check("=a", "<>=<a>");
        check("=", "<>=<>");
        check("a=b=c", "<a>=<b=c>");
        check("a;b=1", "<a;b>=<1>");
        check("a=?b", "<a>=<?b>");
}

static void test_split(void **state)
{
        static const struct {
                const char *target, *path, *query;
        } cases[] = { { "/a?b", "/a", "b" }, { "/a", "/a", "" }, { "/a?", "/a", "" },
                { "/a?b?c", "/a", "b?c" }, { "", "", "" }, { "?b", "", "b" } };
        upb_StringView path, query;

        (void)state;
        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
                query_split(upb_StringView_FromString(cases[i].target), &path, &query);
                assert_true(upb_StringView_IsEqual(path, upb_StringView_FromString(cases[i].path)));
                assert_true(
                        upb_StringView_IsEqual(query, upb_StringView_FromString(cases[i].query)));
        }
}

static void test_decoding(void **state)
{
        static const struct {
                const char *text;
                enum url_part part;
                const char *decoded; /* NULL: malformed */
        } cases[] = {
                { "a+b%2B%20", URL_QUERY, "a b+ " },
                { "a+b%2B%20", URL_SEGMENT, "a+b+ " },
                { "a%2Fb%2fc%3A", URL_SEGMENTS, "a%2Fb%2fc:" },
                { "a%2Fb%2fc", URL_SEGMENT, "a/b/c" },
                { "%252F", URL_SEGMENTS, "%2F" },
                { "%252F", URL_SEGMENT, "%2F" },
                { "%", URL_QUERY, NULL },
                { "a%2", URL_SEGMENT, NULL },
                { "%2g", URL_SEGMENTS, NULL },
                { "%g2", URL_QUERY, NULL },
                { "", URL_QUERY, "" },
        };
        char out[32];

        (void)state;
        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
                ssize_t size = url_decode(out, cases[i].text, strlen(cases[i].text), cases[i].part);

                if (!cases[i].decoded) {
                        assert_int_equal(size, -EINVAL);
                        continue;
                }
                assert_int_equal(size, strlen(cases[i].decoded));
                assert_memory_equal(out, cases[i].decoded, (size_t)size);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_pairs),
                cmocka_unit_test(test_split),
                cmocka_unit_test(test_decoding),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
