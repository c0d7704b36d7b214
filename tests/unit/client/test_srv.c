/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "client/srv.h"

static void test_domain(void **state)
{
        static const char *const names[][2] = {
                { "a.test", "a.test" },
                { "_grpc._tcp.a.test", "a.test" },
                { "_api._udp.a", "a" },
                { "_grpc.a.test", "_grpc.a.test" },
                { "_grpc._tcp", "_grpc._tcp" },
                { "_grpc._tcp.", "_grpc._tcp." },
                { "a._tcp.test", "a._tcp.test" },
        };

        (void)state;
        for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
                assert_string_equal(srv_domain(names[i][0]), names[i][1]);
}

/* xorshift64 */
static uint64_t draw(void *user)
{
        uint64_t *number = user;

        *number ^= *number << 13;
        *number ^= *number >> 7;
        return *number ^= *number << 17;
}

/* Priorities stay in order; within one the first is one by chance, by weight. */
static void test_order(void **state)
{
        static const struct dns_service services[] = {
                { 1, 0, 1, "" },
                { 1, 60, 2, "" },
                { 1, 30, 3, "" },
                { 2, 0, 4, "" },
                { 2, 0, 5, "" },
        };
        unsigned first[6] = { 0 }, fourth[6] = { 0 };
        uint64_t number = 1;

        (void)state;
        for (unsigned i = 0; i < 10000; i++) {
                struct dns_service ordered[5];
                unsigned seen = 0;

                memcpy(ordered, services, sizeof(ordered));
                srv_order(ordered, 5, draw, &number);
                for (unsigned at = 0; at < 5; at++) {
                        seen |= 1u << ordered[at].port;
                        assert_int_equal(ordered[at].priority, at < 3 ? 1 : 2);
                }
                assert_int_equal(seen, 0x3e);
                first[ordered[0].port]++;
                fourth[ordered[3].port]++;
        }
        assert_in_range(first[2], 6367, 6967); /* 2 of 3 */
        assert_in_range(first[1], 0, 20); /* 1 of 11 521 */
        assert_in_range(fourth[4], 4700, 5300);
}

static void test_share(void **state)
{
        static const struct dns_service heavy = { .weight = 65535 }, light = { .weight = 0 },
                                        some = { .weight = 10 };

        (void)state;
        assert_int_equal(srv_share(&some, 1), 2 * srv_share(&some, 2));
        assert_int_equal(srv_share(&light, DNS_FAMILIES * DNS_ADDRESSES_MAX), 1);
        assert_int_equal(srv_share(&heavy, DNS_FAMILIES * DNS_ADDRESSES_MAX), 65535);
        assert_true(srv_share(&heavy, 1) > srv_share(&some, 1));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_domain),
                cmocka_unit_test(test_order),
                cmocka_unit_test(test_share),
        };

        return cmocka_run_group_tests_name("client/srv", tests, NULL, NULL);
}
