/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "front/transcoding_router.h"
#include "front/transcoding_rule.h"

#define RULES_MAX 16

struct world {
        upb_Arena *arena;
        struct transcoding_router router;
        struct transcoding_rule rules[RULES_MAX];
        unsigned count;
};

static upb_StringView view(const char *text)
{
        return upb_StringView_FromString(text);
}

static int add(struct world *world, const char *method, const char *path)
{
        struct transcoding_rule *rule = world->rules + world->count;
        const struct transcoding_rule *other = NULL;
        const char *problem;
        int r;

        assert_true(world->count < RULES_MAX);
        rule->http_method = view(method);
        assert_int_equal(path_template_parse(&rule->path, view(path), world->arena, &problem), 0);
        r = transcoding_router_add(&world->router, rule, world->arena, &other);
        if (r == 0)
                world->count++;
        else
                assert_non_null(other);
        return r;
}

/* The place of the rule that was found, in the order in which they were added; -1: none. */
static int find(const struct world *world, const char *method, const char *path)
{
        const struct transcoding_rule *rule =
                transcoding_router_find(&world->router, view(method), view(path));

        return rule ? (int)(rule - world->rules) : -1;
}

static int setup(void **state)
{
        static struct world world;

        world = (struct world){ .arena = upb_Arena_New() };
        *state = &world;
        return 0;
}

static int teardown(void **state)
{
        upb_Arena_Free(((struct world *)*state)->arena);
        return 0;
}

static void test_the_most_exact_is_found(void **state)
{
        struct world *world = *state;

        add(world, "GET", "/a/**"); /* 0 */
        add(world, "GET", "/b/*");
        add(world, "GET", "/c/*/d/**");
        add(world, "GET", "/c/*/d/e");
        add(world, "GET", "/c/f/d/e");
        add(world, "GET", "/"); /* 5 */
        assert_int_equal(find(world, "GET", "/a/b"), 0);
        assert_int_equal(find(world, "GET", "/a"), 0);
        assert_int_equal(find(world, "GET", "/a/b/c"), 0);
        assert_int_equal(find(world, "GET", "/b/c"), 1);
        assert_int_equal(find(world, "GET", "/b/c/d"), -1);
        assert_int_equal(find(world, "GET", "/c/u/d/v"), 2);
        assert_int_equal(find(world, "GET", "/c/v/d/w/x"), 2);
        assert_int_equal(find(world, "GET", "/c/x/y/d/z"), -1);
        assert_int_equal(find(world, "GET", "/c//v/d/w/x"), -1);
        assert_int_equal(find(world, "GET", "/c/x/d/e"), 3);
        assert_int_equal(find(world, "GET", "/c/f/d/e"), 4);
        /* the literal leads to no rule, the "*" beside it does */
        assert_int_equal(find(world, "GET", "/c/f/d/g"), 2);
        assert_int_equal(find(world, "GET", "/"), 5);
        assert_int_equal(find(world, "GET", "/x"), -1);
        assert_int_equal(find(world, "get", "/"), -1);
}

static void test_what_follows_any(void **state)
{
        struct world *world = *state;

        add(world, "GET", "/{x=**}");
        add(world, "GET", "/{x=**}/a");
        add(world, "GET", "/{x=**}/b/a");
        assert_int_equal(find(world, "GET", "/a"), 1);
        assert_int_equal(find(world, "GET", "/b/a"), 2);
        assert_int_equal(find(world, "GET", "/c/b/a"), 2);
        assert_int_equal(find(world, "GET", "/c/a"), 1);
        assert_int_equal(find(world, "GET", "/c/b"), 0);
        assert_int_equal(find(world, "GET", "/"), 0);
}

/* grpc-httpjson-transcoding's issue 49, grpc-gateway's 224 and 760. */
static void test_verbs(void **state)
{
        struct world *world = *state;

        add(world, "GET", "/person"); /* 0 */
        add(world, "GET", "/person/{id=*}");
        add(world, "GET", "/{x=**}:verb");
        add(world, "GET", "/person/{id}:verb");
        add(world, "GET", "/person/{id}:long:verb"); /* 4 */
        add(world, "POST", "/person/{id}:post");
        assert_int_equal(find(world, "GET", "/person:verb"), 2);
        assert_int_equal(find(world, "GET", "/person/jason:verb"), 3);
        assert_int_equal(find(world, "GET", "/person/jason:long:verb"), 4);
        assert_int_equal(find(world, "GET", "/person/jason:other:verb"), 3);
        assert_int_equal(find(world, "GET", "/animal/cat:verb"), 2);
        assert_int_equal(find(world, "GET", "/person"), 0);
        assert_int_equal(find(world, "GET", "/person/jason"), 1);
        assert_int_equal(find(world, "GET", "/person/urn:isbn:1"), 1);
        assert_int_equal(find(world, "GET", "/person/jason:"), 1);
        assert_int_equal(find(world, "GET", "/person/jason%3Averb"), 1);
        assert_int_equal(find(world, "GET", "/person:other"), -1);
        assert_int_equal(find(world, "GET", "/animal"), -1);
        /* a verb of another method is no verb here */
        assert_int_equal(find(world, "GET", "/person/jason:post"), 1);
        assert_int_equal(find(world, "POST", "/person/jason:post"), 5);
        assert_int_equal(find(world, "GET", "/:verb"), 2);
}

static void test_methods(void **state)
{
        struct world *world = *state;
        char allow[TRANSCODING_ALLOW_BYTES];

        add(world, "GET", "/a/{x}"); /* 0 */
        add(world, "POST", "/a/special");
        add(world, "*", "/a/{x}");
        add(world, "PURGE", "/b/**");
        add(world, "GET", "/a/**"); /* 4 */
        assert_int_equal(find(world, "GET", "/a/special"), 0);
        assert_int_equal(find(world, "POST", "/a/special"), 1);
        assert_int_equal(find(world, "PUT", "/a/special"), 2);
        assert_int_equal(find(world, "PURGE", "/b/c"), 3);
        assert_int_equal(find(world, "GET", "/b/c"), -1);
        assert_int_equal(transcoding_router_allow(&world->router, view("/b/c"), allow), 5);
        assert_string_equal(allow, "PURGE");
        transcoding_router_allow(&world->router, view("/a/special"), allow);
        assert_string_equal(allow, "POST, GET, *");
        assert_int_equal(transcoding_router_allow(&world->router, view("/c"), allow), 0);
        assert_string_equal(allow, "");
}

static void test_conflicts(void **state)
{
        struct world *world = *state;

        assert_int_equal(add(world, "GET", "/a/{x}"), 0);
        assert_int_equal(add(world, "GET", "/a/{y.z}"), -EEXIST);
        assert_int_equal(add(world, "GET", "/a/*"), -EEXIST);
        assert_int_equal(add(world, "PUT", "/a/{y}"), 0);
        assert_int_equal(add(world, "GET", "/a/{y}:verb"), 0);
        assert_int_equal(add(world, "GET", "/a/{y=*}:verb"), -EEXIST);
        assert_int_equal(add(world, "GET", "/a/{x=**}"), 0);
        assert_int_equal(add(world, "GET", "/a/**"), -EEXIST);
        assert_int_equal(add(world, "GET", "/a/**/b"), 0);
        assert_int_equal(add(world, "GET", "/a/{x=**/b}"), -EEXIST);
        assert_int_equal(add(world, "GET", "/"), 0);
        assert_int_equal(add(world, "GET", "/"), -EEXIST);
}

static void test_an_empty_router_has_nothing(void **state)
{
        const struct world *world = *state;
        char allow[TRANSCODING_ALLOW_BYTES];

        assert_int_equal(find(world, "GET", "/"), -1);
        assert_int_equal(transcoding_router_allow(&world->router, view("/"), allow), 0);
}

/* More methods than fit are left out, none is cut. */
static void test_the_list_of_methods_is_bounded(void **state)
{
        struct world *world = *state;
        static char names[RULES_MAX][24];
        char allow[TRANSCODING_ALLOW_BYTES];

        for (int i = 0; i < RULES_MAX; i++) {
                snprintf(names[i], sizeof(names[i]), "METHOD-NUMBER-%03d", i);
                add(world, names[i], "/a");
        }
        assert_in_range(transcoding_router_allow(&world->router, view("/a"), allow), 100,
                TRANSCODING_ALLOW_BYTES - 1);
        assert_int_equal((strlen(allow) + 2) % 19, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_the_most_exact_is_found, setup, teardown),
                cmocka_unit_test_setup_teardown(test_what_follows_any, setup, teardown),
                cmocka_unit_test_setup_teardown(test_verbs, setup, teardown),
                cmocka_unit_test_setup_teardown(test_methods, setup, teardown),
                cmocka_unit_test_setup_teardown(test_conflicts, setup, teardown),
                cmocka_unit_test_setup_teardown(test_an_empty_router_has_nothing, setup, teardown),
                cmocka_unit_test_setup_teardown(
                        test_the_list_of_methods_is_bounded, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
