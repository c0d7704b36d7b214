/* SPDX-License-Identifier: MIT */

/* Which origins can be named; what is answered is seen by tests/test_cors.py. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <quoit/cors.h>
#include <quoit/server.h>

#include <errno.h>

static quoit_server *server;

static int set_one(const char *origin, bool credentials)
{
        return quoit_server_set_cors(server,
                &(quoit_cors_options){
                        .origins = &origin, .origin_count = 1, .credentials = credentials });
}

static void test_origins(void **state)
{
        static const char *const good[] = { "https://a.example", "http://localhost:8080",
                "https://*.a.example", "https://*.a.example:8443", "*", "null", "app://x",
                "HTTPS://A.Example", "http://[::1]:80" };
        static const char *const bad[] = { "", "a.example", "https://", "://a", "https://a/",
                "https://a.example/x", "https://a?b", "https://a#b", "https://u@a", "https://a b",
                "https://a,https://b", "https://*", "https://*a.example", "https://a.*.example",
                "https://*.*.example", "**", "https://a.example*", "https://a\r\nb" };

        (void)state;
        assert_int_equal(quoit_server_new(NULL, &server), 0);
        for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
                assert_int_equal(set_one(good[i], false), 0);
        for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
                if (set_one(bad[i], false) != -EINVAL)
                        fail_msg("'%s' is taken", bad[i]);
                assert_non_null(strstr(quoit_server_problem(server), bad[i]));
        }
        assert_int_equal(set_one("https://a.example", true), 0);
        assert_int_equal(set_one("*", true), -EINVAL);
        assert_non_null(strstr(quoit_server_problem(server), "credentials"));
        assert_int_equal(quoit_server_set_cors(server, &(quoit_cors_options){ 0 }), 0);
        quoit_server_free(server);
}

int main(void)
{
        static const struct CMUnitTest tests[] = { cmocka_unit_test(test_origins) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
