/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "server/address.h"

#include <errno.h>

static void test_good(void **state)
{
        static const struct {
                const char *text, *host;
                uint16_t port;
        } cases[] = {
                { "127.0.0.1:50051", "127.0.0.1", 50051 },
                { "localhost:0", "localhost", 0 },
                { "host.example:65535", "host.example", 65535 },
                { ":80", "", 80 },
                { "[::]:50051", "::", 50051 },
                { "[fe80::1%eth0]:1", "fe80::1%eth0", 1 },
                { "[127.0.0.1]:00080", "127.0.0.1", 80 },
        };

        (void)state;
        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
                struct address address;

                assert_int_equal(address_parse(cases[i].text, &address), 0);
                assert_string_equal(address.host, cases[i].host);
                assert_int_equal(address.port, cases[i].port);
                assert_null(address.unix_path);
        }
}

static void test_unix(void **state)
{
        static const char text[] = "unix:/run/a:b.socket";
        struct address address;

        (void)state;
        assert_int_equal(address_parse(text, &address), 0);
        assert_ptr_equal(address.unix_path, text + 5);
        assert_string_equal(address.host, "");
}

static void test_bad(void **state)
{
        static const char *const bad[] = { "", ":", "localhost", "localhost:", "localhost:65536",
                "localhost:-1", "localhost:+1", "localhost:1x", "localhost: 1", "localhost:100000",
                "::1:80", "[::1]", "[::1]80", "[::1:80", "a:1:2", "unix:" };
        struct address before, address;
        char text[300];

        (void)state;
        memset(&before, 0x5a, sizeof(before));
        address = before;
        for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
                if (address_parse(bad[i], &address) != -EINVAL)
                        fail_msg("\"%s\" was taken", bad[i]);
                assert_memory_equal(&address, &before, sizeof(before)); /* outputs are untouched */
        }

        memset(text, 'h', sizeof(text));
        strcpy(text + 255, ":1");
        assert_int_equal(address_parse(text, &address), 0); /* the longest that fits */
        memset(text, 'h', sizeof(text));
        strcpy(text + 256, ":1");
        assert_int_equal(address_parse(text, &address), -EINVAL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_good),
                cmocka_unit_test(test_unix),
                cmocka_unit_test(test_bad),
        };

        return cmocka_run_group_tests_name("server/address", tests, NULL, NULL);
}
