/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "server/router.h"

#include <errno.h>

#define COUNT 500

static quoit_method methods[COUNT];
static char paths[COUNT][32];

static void fill(struct router *router, size_t count)
{
        for (size_t i = 0; i < count; i++) {
                snprintf(paths[i], sizeof(paths[i]), "/p.S%zu/m%zu", i / 10, i % 10);
                methods[i] = (quoit_method){ .path = paths[i] };
                assert_int_equal(router_add(router, &(struct route){ .method = methods + i }), 0);
        }
}

static const struct route *find(const struct router *router, const char *path)
{
        return router_find(router, path, strlen(path));
}

static void test_find(void **state)
{
        static const char *const unknown[] = { "", "/", "/p.S0", "/p.S0/", "/p.S0/m", "/p.S0/m00",
                "p.S0/m0", "/P.S0/m0", "/p.S0/m0 ", "/p.S99/m0" };
        const struct route *early;
        struct router router = { 0 };

        (void)state;
        assert_null(find(&router, "/p.S0/m0"));
        fill(&router, 1);
        early = find(&router, "/p.S0/m0");
        assert_non_null(early);
        router_deinit(&router);
        router_deinit(&router);

        fill(&router, COUNT);
        assert_int_equal(router.route_count, COUNT);
        assert_true(router.slot_count >= 2 * COUNT);
        for (size_t i = 0; i < COUNT; i++) {
                const struct route *route = find(&router, paths[i]);

                assert_non_null(route);
                assert_ptr_equal(route->method, methods + i);
        }
        for (size_t i = 0; i < sizeof(unknown) / sizeof(*unknown); i++)
                assert_null(find(&router, unknown[i]));
        assert_null(router_find(&router, paths[0], strlen(paths[0]) - 1));
        router_deinit(&router);
}

static void test_services(void **state)
{
        static const quoit_service services[] = { { .name = "p.S" }, { .name = "p.S0" },
                { .name = "T" } };
        static const char *const known[] = { "/p.S/m", "/p.S/", "/p.S0/none", "/T/m" };
        static const char *const unknown[] = { "", "/", "//", "/p.S", "/p.S00/m", "/p./m", "/p.s/m",
                "/T/m/n", "p.S/m", "//p.S/m" };
        struct router router = { 0 };

        (void)state;
        assert_false(router_has_service_of(&router, "/p.S/m", 6));
        for (size_t i = 0; i < 3; i++)
                assert_int_equal(router_add_service(&router, services + i), 0);
        assert_int_equal(router_add_service(&router, &(quoit_service){ .name = "p.S0" }), -EEXIST);
        for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
                assert_true(router_has_service_of(&router, known[i], strlen(known[i])));
        for (size_t i = 0; i < sizeof(unknown) / sizeof(*unknown); i++)
                assert_false(router_has_service_of(&router, unknown[i], strlen(unknown[i])));
        fill(&router, COUNT); /* it grows, and keeps them */
        assert_true(router_has_service_of(&router, "/T/m", 4));
        router_deinit(&router);
}

/* Calls keep a pointer to their route: it must not move when others are added. */
static void test_routes_stay(void **state)
{
        struct router router = { 0 };
        const quoit_method method = { .path = "/first.Of/all" };
        const struct route *route;

        (void)state;
        assert_int_equal(
                router_add(&router, &(struct route){ .method = &method, .user = &router }), 0);
        route = find(&router, method.path);
        fill(&router, COUNT);
        assert_ptr_equal(find(&router, method.path), route);
        assert_ptr_equal(route->user, &router);
        assert_int_equal(router_add(&router, &(struct route){ .method = &method }), -EEXIST);
        assert_int_equal(router.route_count, COUNT + 1);
        router_deinit(&router);
}

static void test_options(void **state)
{
        const quoit_method_options offload = { .offload = true }, late = { .deadline_max_ms = 7 };
        struct router router = { 0 };

        (void)state;
        fill(&router, 100);
        assert_false(router_has_offloaded(&router));
        assert_int_equal(router_set_options(&router, "/p.S1/nothing", &offload), 0);
        assert_int_equal(router_set_options(&router, "/p.S", &offload), 0);
        assert_false(router_has_offloaded(&router));
        assert_int_equal(router_set_options(&router, "/p.S1/m3", &offload), 1);
        assert_true(find(&router, "/p.S1/m3")->options.offload);
        assert_false(find(&router, "/p.S1/m4")->options.offload);
        assert_int_equal(router_set_options(&router, "/p.S2/*", &offload), 10);
        assert_true(find(&router, "/p.S2/m9")->options.offload);
        assert_false(find(&router, "/p.S3/m0")->options.offload);
        assert_true(router_has_offloaded(&router));

        /* the last call replaces all options */
        assert_int_equal(router_set_options(&router, "/p.S2/m9", &late), 1);
        assert_false(find(&router, "/p.S2/m9")->options.offload);
        assert_int_equal(find(&router, "/p.S2/m9")->options.deadline_max_ms, 7);
        assert_int_equal(find(&router, "/p.S2/m8")->options.deadline_max_ms, 0);
        router_deinit(&router);
}

/* The generic handler gets every path that has the form of a method and is not registered. */
static void test_generic(void **state)
{
        static const char *const taken[] = { "/a/b", "//", "/a/", "/p.S1/none", "/a/b/c" };
        static const char *const left[] = { "", "/", "/a", "a/b", "a/" };
        const quoit_method method = { .path = "" };
        const struct route generic = { .method = &method, .options.live_calls_max = 1 };
        struct router router = { 0 };

        (void)state;
        assert_null(router_find_generic(&router, "/a/b", 4));
        assert_int_equal(router_set_generic(&router, &generic), 0);
        assert_int_equal(router_set_generic(&router, &generic), -EEXIST);
        assert_non_null(router.generic->live_calls);
        assert_false(router_has_offloaded(&router));
        router.generic->options.offload = true;
        assert_true(router_has_offloaded(&router));
        fill(&router, COUNT); /* it grows, and keeps it */
        for (size_t i = 0; i < sizeof(taken) / sizeof(*taken); i++)
                assert_ptr_equal(
                        router_find_generic(&router, taken[i], strlen(taken[i])), router.generic);
        for (size_t i = 0; i < sizeof(left) / sizeof(*left); i++)
                assert_null(router_find_generic(&router, left[i], strlen(left[i])));
        router_deinit(&router);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_find),
                cmocka_unit_test(test_services),
                cmocka_unit_test(test_routes_stay),
                cmocka_unit_test(test_options),
                cmocka_unit_test(test_generic),
        };

        return cmocka_run_group_tests_name("server/router", tests, NULL, NULL);
}
