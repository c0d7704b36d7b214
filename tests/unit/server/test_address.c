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
#include <linux/vm_sockets.h>

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
                { "*:80", "", 80 },
                { "systemd.example:1", "systemd.example", 1 },
                { "ipv4:192.0.2.1:1", "192.0.2.1", 1 },
                { "ipv6:[2001:db8::1]:50051", "2001:db8::1", 50051 },
                { "ipv6:[fe80::1%25eth0]:1", "fe80::1%eth0", 1 },
                { "ipv6:[fe80::1%253]:1", "fe80::1%3", 1 },
                { "ipv6:[fe80::1%eth0]:1", "fe80::1%eth0", 1 },
                { "ipv6:%5Bfe80::1%25eth0%2e7%5D:1", "fe80::1%eth0.7", 1 },
        };

        (void)state;
        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
                struct address address;

                assert_int_equal(address_parse(cases[i].text, &address), 0);
                assert_string_equal(address.host, cases[i].host);
                assert_int_equal(address.port, cases[i].port);
                assert_int_equal(address.kind, ADDRESS_TCP);
                assert_string_equal(address.name, "");
        }
}

static void test_unix(void **state)
{
        static const char text[] = "unix:/run/a:b.socket", with_slashes[] = "unix:///run/a";
        static const char relative[] = "unix:a//b", abstract[] = "unix-abstract:a:b";
        struct address address;

        (void)state;
        assert_int_equal(address_parse(text, &address), 0);
        assert_int_equal(address.kind, ADDRESS_UNIX);
        assert_string_equal(address.name, "/run/a:b.socket");
        assert_string_equal(address.host, "");
        assert_int_equal(address_parse(with_slashes, &address), 0);
        assert_string_equal(address.name, "/run/a");
        assert_int_equal(address_parse(relative, &address), 0);
        assert_string_equal(address.name, "a//b");
        assert_int_equal(address_parse(abstract, &address), 0);
        assert_int_equal(address.kind, ADDRESS_UNIX_ABSTRACT);
        assert_string_equal(address.name, "a:b");
}

/* Names with the escapes of a URI. */
static void test_escapes(void **state)
{
        static const struct {
                const char *text, *name;
        } cases[] = {
                { "unix:/run/a%20b", "/run/a b" },
                { "unix:%2Frun%2fa", "/run/a" },
                { "unix:///run/50%25", "/run/50%" },
                { "unix:/run/50%", "/run/50%" },
                { "unix:/run/%2", "/run/%2" },
                { "unix:/run/%zz", "/run/%zz" },
                { "unix-abstract:%0A%ff", "\n\xff" },
                { "systemd:a%20b", "a%20b" },
        };
        char longest[6 + 3 * 107 + 1] = "unix:";
        struct address address;

        (void)state;
        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
                assert_int_equal(address_parse(cases[i].text, &address), 0);
                assert_string_equal(address.name, cases[i].name);
        }
        for (int i = 0; i < 107; i++)
                strcat(longest, "%2F");
        assert_int_equal(address_parse(longest, &address), 0);
        assert_int_equal(strlen(address.name), 107);
        assert_int_equal(strspn(address.name, "/"), 107);
}

/* Too long for a socket. */
static void test_long_name(void **state)
{
        char text[4096] = "unix:";
        struct address address;

        (void)state;
        memset(text + 5, 'a', sizeof(text) - 6);
        assert_int_equal(address_parse(text, &address), 0);
        assert_true(strlen(address.name) > 107);
        for (size_t i = 5; i + 3 < sizeof(text); i += 3)
                memcpy(text + i, "%61", 3);
        assert_int_equal(address_parse(text, &address), 0);
        assert_true(strlen(address.name) > 107);
}

static void test_vsock(void **state)
{
        static const struct {
                const char *text;
                uint32_t cid, port;
        } cases[] = {
                { "vsock:1:50051", 1, 50051 },
                { "vsock:4294967295:4294967295", VMADDR_CID_ANY, VMADDR_PORT_ANY },
                { "vsock:any:any", VMADDR_CID_ANY, VMADDR_PORT_ANY },
                { "vsock:2:any", 2, VMADDR_PORT_ANY },
                { "vsock:any:0", VMADDR_CID_ANY, 0 },
        };

        (void)state;
        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
                struct address address;

                assert_int_equal(address_parse(cases[i].text, &address), 0);
                assert_int_equal(address.kind, ADDRESS_VSOCK);
                assert_int_equal(address.cid, cases[i].cid);
                assert_int_equal(address.port, cases[i].port);
        }
}

static void test_inherited(void **state)
{
        struct address address;

        (void)state;
        assert_int_equal(address_parse("fd:3", &address), 0);
        assert_int_equal(address.kind, ADDRESS_FD);
        assert_int_equal(address.fd, 3);
        assert_int_equal(address_parse("systemd", &address), 0);
        assert_int_equal(address.kind, ADDRESS_SYSTEMD);
        assert_string_equal(address.name, "");
        assert_int_equal(address_parse("systemd:grpc", &address), 0);
        assert_int_equal(address.kind, ADDRESS_SYSTEMD);
        assert_string_equal(address.name, "grpc");
}

static void test_bad(void **state)
{
        static const char *const bad[] = { "", ":", "localhost", "localhost:", "localhost:-1",
                "localhost:+1", "localhost:1x", "localhost: 1", "::1:80", "[::1]", "[::1]80",
                "[::1:80", "a:1:2", "unix:", "unix://", "unix://a",
                "unix-abstract:", "vsock:", "vsock:1", "vsock:1:", "vsock::1", "vsock:any",
                "vsock:anyone:1", "vsock:1:2:3", "vsock:-1:1", "fd:", "fd:-1", "fd:x", "fd:3 ",
                "systemd:", "unix:/a%00b", "unix-abstract:%00", "ipv6:[::1]", "ipv4:127.0.0.1",
                "ipv6:[::1%00]:1", "ipv6:::1:1" };
        static const char *const large[] = { "localhost:65536", "localhost:99999999999999999999999",
                "[::1]:99999", "vsock:4294967296:1", "vsock:1:4294967296", "fd:2147483648",
                "fd:18446744073709551616", "ipv6:[::1]:65536" };
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

        for (size_t i = 0; i < sizeof(large) / sizeof(*large); i++) {
                if (address_parse(large[i], &address) != -ERANGE)
                        fail_msg("\"%s\" is not too large", large[i]);
                assert_non_null(strstr(address_problem(large[i], -ERANGE), " at most "));
                assert_memory_equal(&address, &before, sizeof(before));
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
                cmocka_unit_test(test_escapes),
                cmocka_unit_test(test_long_name),
                cmocka_unit_test(test_vsock),
                cmocka_unit_test(test_inherited),
                cmocka_unit_test(test_bad),
        };

        return cmocka_run_group_tests_name("server/address", tests, NULL, NULL);
}
