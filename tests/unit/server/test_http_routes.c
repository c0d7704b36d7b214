/* SPDX-License-Identifier: MIT */

/* Which handler a path of plain HTTP has. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <quoit/server.h>

#include "call/http.h"
#include "server/http_routes.h"

#include <errno.h>

static void handler(quoit_call *call, void *user)
{
        (void)call;
        (void)user;
}

/* Whose it is: what was given with the path. NULL: nobody's. */
static const char *find(const struct http_routes *routes, const char *path)
{
        const struct http_route *route =
                http_routes_find(routes, QUOIT_HTTP_ORDINARY, path, strlen(path));

        return route ? route->route.user : NULL;
}

static void test_find(void **state)
{
        static const char *const paths[] = { "/a/*", "/a", "/a/b/*", "/a/b", "/", "/a/b/c/*" };
        static const char *const cases[][2] = {
                { "/", "/" },
                { "/a", "/a" },
                { "/a/", "/a/*" },
                { "/a/b", "/a/b" },
                { "/a/b/", "/a/b/*" },
                { "/a/b/c", "/a/b/*" },
                { "/a/b/c/", "/a/b/c/*" },
                { "/a/b/c/d/e", "/a/b/c/*" },
                { "/a/bc", "/a/*" },
                { "/A", NULL },
                { "/ab", NULL },
                { "", NULL },
                { "a", NULL },
        };

        (void)state;
        /* in any order of registration */
        for (size_t first = 0; first < 6; first++) {
                struct http_routes routes = { 0 };

                assert_null(find(&routes, "/"));
                for (size_t i = 0; i < 6; i++) {
                        const char *path = paths[(first + i) % 6];

                        assert_int_equal(http_routes_add(&routes, QUOIT_HTTP_ORDINARY, path,
                                                 handler, (void *)path),
                                0);
                }
                for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
                        const char *found = find(&routes, cases[i][0]);

                        if (!cases[i][1])
                                assert_null(found);
                        else
                                assert_string_equal(found, cases[i][1]);
                }
                http_routes_deinit(&routes);
                assert_null(find(&routes, "/"));
        }
}

static void test_any_path(void **state)
{
        struct http_routes routes = { 0 };

        (void)state;
        assert_int_equal(http_routes_add(&routes, QUOIT_HTTP_ORDINARY, "/*", handler, "all"), 0);
        assert_int_equal(http_routes_add(&routes, QUOIT_HTTP_ORDINARY, "/x", handler, "x"), 0);
        assert_string_equal(find(&routes, "/"), "all");
        assert_string_equal(find(&routes, "/x"), "x");
        assert_string_equal(find(&routes, "/x/"), "all");
        http_routes_deinit(&routes);
}

/* A path may be one handler's on ordinary listeners and another's on the others. */
static void test_listeners(void **state)
{
        struct http_routes routes = { 0 };

        (void)state;
        assert_false(http_routes_any(&routes, QUOIT_HTTP_ORDINARY));
        assert_int_equal(http_routes_add(&routes, QUOIT_HTTP_ADMIN, "/a", handler, "admin"), 0);
        assert_false(http_routes_any(&routes, QUOIT_HTTP_ORDINARY));
        assert_true(http_routes_any(&routes, QUOIT_HTTP_ADMIN));
        assert_null(find(&routes, "/a"));
        assert_int_equal(http_routes_add(&routes, QUOIT_HTTP_ALL, "/a", handler, ""), -EEXIST);
        assert_int_equal(http_routes_add(&routes, QUOIT_HTTP_ORDINARY, "/a", handler, "a"), 0);
        assert_int_equal(http_routes_add(&routes, QUOIT_HTTP_ALL, "/b", handler, "b"), 0);
        assert_int_equal(http_routes_add(&routes, QUOIT_HTTP_ADMIN, "/b", handler, ""), -EEXIST);
        assert_int_equal(http_routes_add(&routes, 0, "/c", handler, ""), -EINVAL);
        assert_int_equal(http_routes_add(&routes, 4, "/c", handler, ""), -EINVAL);
        assert_string_equal(find(&routes, "/a"), "a");
        assert_string_equal(find(&routes, "/b"), "b");
        assert_string_equal(
                http_routes_find(&routes, QUOIT_HTTP_ADMIN, "/a", 2)->route.user, "admin");
        assert_string_equal(http_routes_find(&routes, QUOIT_HTTP_ADMIN, "/b", 2)->route.user, "b");
        http_routes_deinit(&routes);
}

static void test_mistakes(void **state)
{
        static const char *const bad[] = { "", "x", "*", "/a*", "/*/b", "/a?", "/a#b", "/a/**",
                "/a?/*" };
        quoit_server *server;

        (void)state;
        assert_int_equal(quoit_server_new(NULL, &server), 0);
        for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
                assert_int_equal(quoit_server_handle_http(server, bad[i], handler, NULL), -EINVAL);
                assert_non_null(strstr(quoit_server_problem(server), "is not a path of HTTP"));
        }
        assert_int_equal(quoit_server_handle_http(server, "/a", handler, NULL), 0);
        assert_int_equal(quoit_server_handle_http(server, "/a/*", handler, NULL), 0);
        assert_int_equal(quoit_server_handle_http(server, "/a", handler, NULL), -EEXIST);
        assert_string_equal(quoit_server_problem(server), "/a has an HTTP handler already");
        assert_int_equal(quoit_server_handle_http(server, "/a/*", handler, NULL), -EEXIST);
        quoit_server_free(server);
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_find),
                cmocka_unit_test(test_any_path),
                cmocka_unit_test(test_listeners),
                cmocka_unit_test(test_mistakes),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
