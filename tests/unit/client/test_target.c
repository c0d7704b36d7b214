/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "client/resolver.h"
#include "client/target.h"
#include "link/peer.h"

/* Its addresses as link/ describes them, separated by a space, and its authority. */
static void assert_target(const char *text, const char *addresses, const char *authority)
{
        struct target target;
        char seen[1024] = "";

        assert_int_equal(target_parse(text, &target), 0);
        for (unsigned i = 0; i < target.count; i++) {
                char address[PEER_ADDRESS_BYTES];

                peer_describe(target.addresses + i, address);
                strcat(strcat(seen, i > 0 ? " " : ""), address);
        }
        assert_string_equal(seen, addresses);
        assert_string_equal(target.authority, authority);
}

static void test_good(void **state)
{
        (void)state;
        assert_target("127.0.0.1:50051", "ipv4:127.0.0.1:50051", "127.0.0.1:50051");
        assert_target("dns:127.0.0.1:1", "ipv4:127.0.0.1:1", "127.0.0.1:1");
        assert_target("dns:///127.0.0.1", "ipv4:127.0.0.1:443", "127.0.0.1");
        assert_target("[::1]:50051", "ipv6:[::1]:50051", "[::1]:50051");
        assert_target("[::1]", "ipv6:[::1]:443", "[::1]");
        assert_target("ipv4:10.0.0.1:1,10.0.0.2:2,10.0.0.3",
                "ipv4:10.0.0.1:1 ipv4:10.0.0.2:2 ipv4:10.0.0.3:443", "10.0.0.1:1");
        assert_target("ipv6:[::1]:1,[fe80::1%25lo]:2,%5B::2%5D:3",
                "ipv6:[::1]:1 ipv6:[fe80::1%25lo]:2 ipv6:[::2]:3", "[::1]:1");
        assert_target("unix:/run/a%20b", "unix:/run/a%20b", "localhost");
        assert_target("unix:///run/a", "unix:/run/a", "localhost");
        assert_target("unix:a/b", "unix:a/b", "localhost");
        assert_target("unix-abstract:name", "unix-abstract:name", "localhost");
        assert_target("vsock:2:50051", "vsock:2:50051", "localhost");
}

static void test_bad(void **state)
{
        static const struct {
                const char *text;
                int error;
        } bad[] = {
                { "", -EINVAL },
                { "127.0.0.1:", -EINVAL },
                { "127.0.0.1:0", -EINVAL },
                { "127.0.0.1:65536", -EINVAL },
                { "127.0.0.1:1x", -EINVAL },
                { "127.0.0.1:1,127.0.0.2:2", -EINVAL },
                { ":50051", -EINVAL },
                { "[::1", -EINVAL },
                { "[::1]x", -EINVAL },
                { "[::g]:1", -EINVAL },
                { "::1", -EINVAL },
                { "ipv4:", -EINVAL },
                { "ipv4:1.2.3.4:1,", -EINVAL },
                { "ipv4:[::1]:1", -EINVAL },
                { "ipv4:name:1", -EINVAL },
                { "ipv6:1.2.3.4:1", -EINVAL },
                { "ipv6:[fe80::1%25nosuchif]:1", -EINVAL },
                { "unix:", -EINVAL },
                { "unix://a", -EINVAL },
                { "unix:a%00b", -EINVAL },
                { "unix-abstract:", -EINVAL },
                { "vsock:2", -EINVAL },
                { "vsock::1", -EINVAL },
                { "vsock:2:4294967296", -EINVAL },
                { "dns://8.8.8.8", -EINVAL },
                { "dns://8.8.8.8/", -EINVAL },
                { "dns://8.8.8.8:/backend", -EINVAL },
                { "dns://8.8.8.8:0/backend", -EINVAL },
                { "dns://::1/backend", -EINVAL },
                { "dns://[fe80::1%25lo]/backend", -EINVAL },
                { "dns://server/backend", -EINVAL },
                { "dns://8.8.8.8,8.8.4.4/backend", -EINVAL },
                { "dns://8.8.8.8/a,b", -EINVAL },
                { "a b:1", -EINVAL },
        };
        struct target target;

        (void)state;
        for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
                int r = target_parse(bad[i].text, &target);

                if (r != bad[i].error)
                        print_error("%s: %d\n", bad[i].text, r);
                assert_int_equal(r, bad[i].error);
        }
}

/* The caller hears what is wrong, and what there is. */
static void test_problems(void **state)
{
        static const char *const bad[][2] = {
                { "tcp://localhost:50153", "no such scheme" },
                { "http://localhost:50153", "no such scheme" },
                { "::1:50153", "IPv6 stands in brackets" },
                { "localhost:http", "port is not a number" },
                { "50153", "its host is a number" },
                { "127.1:1", "its host is a number" },
                { "0x7f000001:1", "its host is a number" },
                { "1.2.3.4.5:1", "its host is a number" },
                { ":50153", "no host" },
                { "a b:1", "characters" },
                { "[::1", "without a" },
                { "a:1,b:2", "lists" },
                { "dns://server/a", "server of DNS" },
                { "vsock:2", "as its scheme wants" },
        };
        quoit_error error;

        (void)state;
        for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
                assert_int_equal(quoit_target_check(bad[i][0], &error), -EINVAL);
                assert_int_equal(error.status, QUOIT_INVALID_ARGUMENT);
                if (!strstr(error.text, bad[i][1]))
                        print_error("%s: %s\n", bad[i][0], error.text);
                assert_non_null(strstr(error.text, bad[i][1]));
                assert_non_null(strstr(error.text, bad[i][0]));
                assert_non_null(strstr(error.text, "a target is HOST:PORT"));
        }
        assert_int_equal(quoit_target_check("tcp://a", NULL), -EINVAL);
        assert_int_equal(quoit_target_check("localhost:50153", &error), 0);
        assert_int_equal(quoit_target_check("1and1.example:443", NULL), 0);
}

static void test_names(void **state)
{
        struct target target;

        (void)state;
        assert_int_equal(target_parse("backend:50051", &target), 0);
        assert_int_equal(target.count, 0);
        assert_string_equal(target.host, "backend");
        assert_int_equal(target.port, 50051);
        assert_string_equal(target.authority, "backend:50051");
        assert_int_equal(target_parse("dns:///backend.example", &target), 0);
        assert_string_equal(target.host, "backend.example");
        assert_int_equal(target.port, 443);
        assert_string_equal(target.authority, "backend.example");
        assert_string_equal(target.dns_server, "");
        assert_int_equal(target_parse("dns:a,b", &target), -EINVAL);
}

static void test_dns_servers(void **state)
{
        static const char *const servers[][2] = {
                { "8.8.8.8", "8.8.8.8:53" },
                { "8.8.8.8:5353", "8.8.8.8:5353" },
                { "[2001:db8::1]", "[2001:db8::1]:53" },
                { "[::ffff:255.255.255.255]:65535", "[::ffff:255.255.255.255]:65535" },
                { "%5B::1%5D:5353", "[::1]:5353" },
        };
        struct target target;
        char text[128];

        (void)state;
        for (size_t i = 0; i < sizeof(servers) / sizeof(*servers); i++) {
                snprintf(text, sizeof(text), "dns://%s/backend:50051", servers[i][0]);
                assert_int_equal(target_parse(text, &target), 0);
                assert_string_equal(target.dns_server, servers[i][1]);
                assert_string_equal(target.host, "backend");
                assert_int_equal(target.port, 50051);
                assert_string_equal(target.authority, "backend:50051");
        }
}

/* Families take turns, each in its order. */
static void test_interleave(void **state)
{
        static const char *const cases[][2] = { { "6664", "6466" }, { "664444", "646444" },
                { "4466", "4646" }, { "4", "4" }, { "", "" }, { "444", "444" }, { "466", "466" },
                { "446", "464" } };

        (void)state;
        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
                struct endpoint addresses[8] = { 0 };
                unsigned count = (unsigned)strlen(cases[i][0]);
                uint16_t last[2] = { 0 };

                for (unsigned at = 0; at < count; at++) {
                        addresses[at].any.sa_family = cases[i][0][at] == '4' ? AF_INET : AF_INET6;
                        addresses[at].v4.sin_port = (in_port_t)(at + 1); /* v6's lies there too */
                }
                resolver_interleave(addresses, count);
                for (unsigned at = 0; at < count; at++) {
                        bool is_v4 = addresses[at].any.sa_family == AF_INET;

                        assert_int_equal(is_v4, cases[i][1][at] == '4');
                        assert_true(addresses[at].v4.sin_port > last[is_v4]);
                        last[is_v4] = addresses[at].v4.sin_port;
                }
        }
}

static void test_limits(void **state)
{
        char text[4096] = "ipv4:1.1.1.1:1";
        struct target target;

        (void)state;
        for (unsigned i = 1; i < QUOIT_CHANNEL_ADDRESSES_MAX; i++)
                strcat(text, ",1.1.1.1:1");
        assert_int_equal(target_parse(text, &target), 0);
        assert_int_equal(target.count, QUOIT_CHANNEL_ADDRESSES_MAX);
        strcat(text, ",1.1.1.1:1");
        assert_int_equal(target_parse(text, &target), -E2BIG);
        snprintf(text, sizeof(text), "unix:/%0106d", 0);
        assert_int_equal(target_parse(text, &target), 0);
        snprintf(text, sizeof(text), "unix:/%0107d", 0);
        assert_int_equal(target_parse(text, &target), -ENAMETOOLONG);
        snprintf(text, sizeof(text), "unix-abstract:%0107d", 0);
        assert_int_equal(target_parse(text, &target), -ENAMETOOLONG);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_good),
                cmocka_unit_test(test_bad),
                cmocka_unit_test(test_problems),
                cmocka_unit_test(test_names),
                cmocka_unit_test(test_dns_servers),
                cmocka_unit_test(test_interleave),
                cmocka_unit_test(test_limits),
        };

        return cmocka_run_group_tests_name("client/target", tests, NULL, NULL);
}
