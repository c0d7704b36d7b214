/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/endpoint.h"
#include "server/addresses.h"

#define ADDRESSES 300

/* 127.0.0.0 plus @host, as a socket of @family sees it. */
static struct endpoint endpoint_of(sa_family_t family, uint32_t host)
{
        uint32_t bits = htonl(0x7f000000 + host);

        if (family == AF_INET)
                return (struct endpoint){ .bytes = sizeof(struct sockaddr_in),
                        .v4 = { .sin_family = AF_INET, .sin_addr.s_addr = bits } };
        /* dual-stack: the peer has its mapped address */
        return (struct endpoint){ .bytes = sizeof(struct sockaddr_in6),
                .v6 = { .sin6_family = AF_INET6,
                        .sin6_addr.s6_addr32 = { 0, 0, htonl(0xffff), bits } } };
}

static void test_family(sa_family_t family)
{
        struct address_load *loads[ADDRESSES][2], *none = NULL;
        struct endpoint peers[ADDRESSES];
        struct addresses addresses;

        addresses_init(&addresses);
        for (uint32_t i = 0; i < ADDRESSES; i++) {
                peers[i] = endpoint_of(family, 1 + i);
                for (int n = 0; n < 2; n++)
                        assert_int_equal(
                                addresses_enter(&addresses, peers + i, 2, &loads[i][n]), 0);
                assert_int_equal(addresses_enter(&addresses, peers + i, 2, &none), -EMFILE);
                assert_null(none);
                assert_ptr_equal(loads[i][0], loads[i][1]);
        }
        assert_int_equal(addresses.count, ADDRESSES + 1); /* and their network */
        /* those in the middle of their buckets too */
        for (uint32_t i = 0; i < ADDRESSES; i += 2) {
                addresses_leave(&addresses, loads[i][0]);
                assert_int_equal(addresses_enter(&addresses, peers + i, 2, &loads[i][0]), 0);
                addresses_leave(&addresses, loads[i][0]);
                addresses_leave(&addresses, loads[i][1]);
        }
        assert_int_equal(addresses.count, ADDRESSES / 2 + 1);
        for (uint32_t i = 0; i < ADDRESSES; i++) {
                for (int n = 0; i % 2 == 1 && n < 2; n++)
                        addresses_leave(&addresses, loads[i][n]);
        }
        assert_int_equal(addresses.count, 0);
        addresses_deinit(&addresses);
}

static void test_v4(void **state)
{
        (void)state;
        test_family(AF_INET);
}

static void test_mapped(void **state)
{
        (void)state;
        test_family(AF_INET6);
}

/* Two peers, with room for one connection of an address: both enter if their addresses differ. */
static void enter_two(const struct endpoint *one, const struct endpoint *other, bool share)
{
        struct address_load *load = NULL, *second = NULL;
        struct addresses addresses;

        addresses_init(&addresses);
        assert_int_equal(addresses_enter(&addresses, one, 1, &load), 0);
        assert_int_equal(addresses_enter(&addresses, other, 1, &second), share ? -EMFILE : 0);
        addresses_leave(&addresses, load);
        addresses_leave(&addresses, second);
        assert_int_equal(addresses.count, 0);
        addresses_deinit(&addresses);
}

static struct endpoint v6(const char *text, uint32_t scope)
{
        struct endpoint endpoint = { .bytes = sizeof(struct sockaddr_in6),
                .v6 = { .sin6_family = AF_INET6, .sin6_scope_id = scope } };

        assert_int_equal(inet_pton(AF_INET6, text, &endpoint.v6.sin6_addr), 1);
        return endpoint;
}

static void test_prefixes(void **state)
{
        struct endpoint one = v6("2001:db8:1:2::1", 0), same = v6("2001:db8:1:2:ffff::7", 0);
        struct endpoint other = v6("2001:db8:1:3::1", 0);
        struct endpoint local = v6("fe80::1", 2), beside = v6("fe80::2", 2);
        struct endpoint link = v6("fe80::1", 3);
        struct endpoint mapped = endpoint_of(AF_INET6, 1), plain = endpoint_of(AF_INET, 1);

        (void)state;
        enter_two(&one, &same, true);
        enter_two(&one, &other, false);
        enter_two(&local, &beside, true);
        enter_two(&local, &link, false); /* the same address on another link */
        enter_two(&mapped, &plain, true);
}

static void networks_are(const struct endpoint *one, const struct endpoint *other, bool same)
{
        struct address_load *load, *second;
        struct addresses addresses;

        addresses_init(&addresses);
        assert_int_equal(addresses_enter(&addresses, one, 1, &load), 0);
        assert_int_equal(addresses_enter(&addresses, other, 1, &second), 0);
        assert_ptr_not_equal(addresses_turn(load), addresses_turn(second));
        assert_int_equal(addresses_turn(load)->network == addresses_turn(second)->network, same);
        assert_int_equal(addresses.count, same ? 3 : 4);
        addresses_leave(&addresses, load);
        addresses_leave(&addresses, second);
        assert_int_equal(addresses.count, 0);
        addresses_deinit(&addresses);
}

static void test_networks(void **state)
{
        struct endpoint one = v6("2001:db8:1:2::1", 0), near = v6("2001:db8:1:ffff::1", 0);
        struct endpoint far = v6("2001:db8:2:2::1", 0);
        struct endpoint v4 = endpoint_of(AF_INET, 1), mapped = endpoint_of(AF_INET6, 0xffff);
        struct endpoint v4_far = endpoint_of(AF_INET, 0x10001);

        (void)state;
        networks_are(&one, &near, true);
        networks_are(&one, &far, false);
        networks_are(&v4, &mapped, true);
        networks_are(&v4, &v4_far, false);
}

/* An address that has finished a handshake and left is known when it returns, with its last turn. */
static void test_who_comes_again(void **state)
{
        struct endpoint peers[] = { endpoint_of(AF_INET, 1), endpoint_of(AF_INET, 2) };
        struct address_load *load;
        struct addresses addresses;

        (void)state;
        addresses_init(&addresses);
        for (uint64_t round = 0; round < 3; round++) {
                for (unsigned i = 0; i < 2; i++) {
                        struct turn *turn;

                        assert_int_equal(addresses_enter(&addresses, peers + i, 1, &load), 0);
                        turn = addresses_turn(load);
                        assert_int_equal(turn->is_known, i == 0 && round > 0);
                        assert_int_equal(turn->last[0], i == 0 ? round : 0);
                        turn->last[0] = round + 1;
                        turn->is_known = i == 0;
                        addresses_leave(&addresses, load);
                }
        }
        addresses_deinit(&addresses);
}

/* Peers without an address do not share a limit. */
static void test_none(void **state)
{
        const struct endpoint without[] = {
                { 0 }, /* it was gone already */
                { .bytes = sizeof(sa_family_t), .any.sa_family = AF_UNIX },
                { .bytes = sizeof(struct sockaddr_vm), .vm.svm_family = AF_VSOCK },
        };
        struct addresses addresses;

        addresses_init(&addresses);
        for (size_t i = 0; i < sizeof(without) / sizeof(*without); i++) {
                struct address_load *load = (struct address_load *)state;

                assert_int_equal(addresses_enter(&addresses, without + i, 0, &load), 0);
                assert_null(load);
                addresses_leave(&addresses, load);
        }
        addresses_deinit(&addresses);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_v4),
                cmocka_unit_test(test_mapped),
                cmocka_unit_test(test_prefixes),
                cmocka_unit_test(test_networks),
                cmocka_unit_test(test_who_comes_again),
                cmocka_unit_test(test_none),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
