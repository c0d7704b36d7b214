/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "front/path_template.h"
#include "front/url.h"

static upb_StringView view(const char *text)
{
        return upb_StringView_FromString(text);
}

static struct path_template parse(const char *text, upb_Arena *arena)
{
        struct path_template template;
        const char *problem = NULL;

        if (path_template_parse(&template, view(text), arena, &problem) < 0)
                fail_msg("%s: %s", text, problem);
        return template;
}

/* Whether @path matches; verbs are the router's. */
static bool matches(
        const struct path_template *template, const char *path, upb_StringView *segments)
{
        if (!path_template_cut(template, view(path), segments))
                return false;
        for (unsigned i = 0; i < template->segment_count; i++)
                if (template->segments[i].kind == PATH_LITERAL &&
                        !path_segment_is(segments[i], template->segments[i].literal))
                        return false;
        return true;
}

/* "name=value,name=value" of the variables of @text in @path; NULL: it does not match. In @out. */
static const char *values(const char *text, const char *path, char *out)
{
        upb_Arena *arena = upb_Arena_New();
        struct path_template template = parse(text, arena);
        upb_StringView segments[PATH_TEMPLATE_SEGMENTS_MAX];
        bool found = matches(&template, path, segments);
        char *end = out;

        *end = '\0';
        for (unsigned i = 0; found && i < template.variable_count; i++) {
                const struct path_variable *variable = template.variables + i;
                upb_StringView value = path_template_value(variable, segments);
                char decoded[256] = "";

                assert_true(url_decode(decoded, value.data, value.size,
                                    variable->is_multiple ? URL_SEGMENTS : URL_SEGMENT) >= 0);
                end += sprintf(end, "%s%.*s=%s", i ? "," : "", (int)variable->field_path.size,
                        variable->field_path.data, decoded);
        }
        upb_Arena_Free(arena);
        return found ? out : NULL;
}

static void test_values(void **state)
{
        static const struct {
                const char *text, *path, *values;
        } cases[] = {
                { "/v1/hello/{name}", "/v1/hello/x", "name=x" },
                { "/v1/hello/{name}", "/v1/hello/a%2Fb%20c", "name=a/b c" },
                { "/v1/hello/{name}", "/v1/hello/", NULL },
                { "/v1/hello/{name}", "/v1/hello", NULL },
                { "/v1/hello/{name}", "/v1/hello/x/", NULL },
                { "/v1/hello/{name}", "/v1/hello/x/y", NULL },
                { "/v1/hello/{name}", "/v2/hello/x", NULL },
                { "/v1/hello/{name}", "/v1/hello/+", "name=+" },
                { "/v1/hello/{name}", "/v1/h%65llo/x", "name=x" },
                { "/v1/hello/{name}", "/v1/hell/ox", NULL },
                { "/v1/{name=shelves/*/books/*}", "/v1/shelves/a%2fb/books/c%20d",
                        "name=shelves/a%2fb/books/c d" },
                { "/v1/{name=shelves/*}/{b.c}", "/v1/shelves/1/2", "name=shelves/1,b.c=2" },
                { "/v1/{x=**}", "/v1/a/b%2Fc/d", "x=a/b%2Fc/d" },
                { "/v1/{x=**}", "/v1/", "x=" },
                { "/v1/{x=**}", "/v1", "x=" },
                { "/v1/{x=**}", "/v1/a//b", "x=a//b" },
                { "/v1/{x=**}", "/v10/a", NULL },
                { "/v1/{x=d/**}", "/v1/d", "x=d" },
                { "/v1/{x=d/**}", "/v1/d/e/f", "x=d/e/f" },
                { "/a/{x=*}/b/{y=**}/c", "/a/dog/b/eat/bones/c", "x=dog,y=eat/bones" },
                { "/a/{x=*}/b/{y=**}/c", "/a/dog/b/c", "x=dog,y=" },
                { "/a/{x=*}/b/{y=**}/c", "/a/dog/b/c/d", NULL },
                { "/{x=**/b}", "/b", "x=b" },
                { "/{x=**}/a/b", "/foo/bar/a/b", "x=foo/bar" },
                { "/{x=**}/a/b", "/a", NULL },
                { "/", "/", "" },
                { "/", "/a", NULL },
                { "/**", "/", "" },
                { "/**", "/a/", "" },
                { "/*", "/", NULL },
                { "/a/*", "//a", NULL },
                { "/v1/{a_b.c2}", "/v1/%E4%BD%A0", "a_b.c2=你" },
                { "/a:b/c", "/a:b/c", "" },
                { "/a%2Fb/c", "/a%2fb/c", "" },
                { "/a%2Fb/c", "/a/b/c", NULL },
                { "/a%25", "/a%25", "" },
                { "/a%25", "/a%", NULL },
                { "/a%25b", "/a%b", NULL },
                { "/a%25bg", "/a%bg", NULL },
        };
        char out[512];

        (void)state;
        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
                const char *found = values(cases[i].text, cases[i].path, out);

                if (!found != !cases[i].values || (found && strcmp(found, cases[i].values) != 0))
                        fail_msg("%s with %s: %s", cases[i].text, cases[i].path,
                                found ? found : "no match");
        }
}

static void test_verbs(void **state)
{
        static const struct {
                const char *text, *verb;
        } cases[] = { { "/v1/a:b", "b" }, { "/v1/{a}:b:c", "b:c" }, { "/v1/{a=**}:b", "b" },
                { "/v1/a", "" }, { "/v1/a:b/c", "" }, { "/v1/a/*:d", "d" } };
        upb_Arena *arena = upb_Arena_New();

        (void)state;
        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
                struct path_template template = parse(cases[i].text, arena);

                assert_true(upb_StringView_IsEqual(template.verb, view(cases[i].verb)));
        }
        upb_Arena_Free(arena);
}

static void test_malformed(void **state)
{
        static const char *const texts[] = { "", "a", "//", "/a/", "/a//b", "/{", "/{}", "/{a",
                "/{a=", "/{a=}", "/{a={b}}", "/{a=b/{c}}", "/a:", "/***", "/a*", "/**/**",
                "/{a=**}/{b=**}", "/{a}b", "/a b", "/a?b", "/a#b", "/a%2", "/a%zz", "/a{b}", "/}",
                "/{a}:b/c", "/{a b}", "/slug={slug}", "/a:*",
                "/1/1/1/1/1/1/1/1/1/1/1/1/1/1/1/1/1/1/1/1/1/1/1/1/1/1/1/1/1/1/1/1/1",
                "/{a}/{a}/{a}/{a}/{a}/{a}/{a}/{a}/{a}/{a}/{a}/{a}/{a}/{a}/{a}/{a}/{a}" };
        upb_Arena *arena = upb_Arena_New();

        (void)state;
        for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
                struct path_template template;
                const char *problem = NULL;

                if (path_template_parse(&template, view(texts[i]), arena, &problem) != -EINVAL)
                        fail_msg("%s was taken", texts[i]);
                assert_non_null(problem);
        }
        upb_Arena_Free(arena);
}

static void test_sameness(void **state)
{
        static const struct {
                const char *a, *b;
                bool same;
        } cases[] = { { "/v1/{a}", "/v1/{b.c}", true }, { "/v1/{a}", "/v1/*", true },
                { "/v1/{a}", "/v1/{a}:b", false }, { "/v1/{a}", "/v1/{a=**}", false },
                { "/v1/{a=b/*}", "/v1/b/{a}", true }, { "/v1/a", "/v1/%61", true },
                { "/v1/a", "/v1/b", false }, { "/v1", "/v1/a", false } };
        upb_Arena *arena = upb_Arena_New();

        (void)state;
        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
                struct path_template a = parse(cases[i].a, arena), b = parse(cases[i].b, arena);

                assert_int_equal(path_template_is_same(&a, &b), cases[i].same);
        }
        upb_Arena_Free(arena);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_values),
                cmocka_unit_test(test_verbs),
                cmocka_unit_test(test_malformed),
                cmocka_unit_test(test_sameness),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
