/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/addresses.h"

#define ADDRESSES 300

/* A socket that came from 127.0.0.0 plus @host to @listener. */
static int accept_from(int listener, uint32_t host, int *ret_client)
{
        struct sockaddr_in from = { .sin_family = AF_INET };
        struct sockaddr_storage to;
        socklen_t size = sizeof(to);

        from.sin_addr.s_addr = htonl(0x7f000000 + host);
        assert_return_code(getsockname(listener, (struct sockaddr *)&to, &size), errno);
        *ret_client = socket(AF_INET, SOCK_STREAM, 0);
        assert_return_code(bind(*ret_client, (struct sockaddr *)&from, sizeof(from)), errno);
        if (to.ss_family == AF_INET6) {
                /* dual-stack: the peer is seen by its mapped address */
                struct sockaddr_in v4 = { .sin_family = AF_INET,
                        .sin_port = ((struct sockaddr_in6 *)&to)->sin6_port,
                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

                assert_return_code(connect(*ret_client, (struct sockaddr *)&v4, sizeof(v4)), errno);
        } else {
                assert_return_code(connect(*ret_client, (struct sockaddr *)&to, size), errno);
        }
        return accept(listener, NULL, NULL);
}

static int listen_at(int family)
{
        struct sockaddr_in v4 = { .sin_family = AF_INET,
                .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
        int fd = socket(family, SOCK_STREAM, 0);
        int r = family == AF_INET ? bind(fd, (struct sockaddr *)&v4, sizeof(v4))
                                  : bind(fd, (struct sockaddr *)&v6, sizeof(v6));

        assert_return_code(r, errno);
        assert_return_code(listen(fd, 16), errno);
        return fd;
}

static void test_family(int family)
{
        struct address_load *loads[ADDRESSES][2], *none = NULL;
        int fds[ADDRESSES], clients[ADDRESSES];
        struct addresses addresses;
        int listener = listen_at(family);

        addresses_init(&addresses);
        for (uint32_t i = 0; i < ADDRESSES; i++) {
                fds[i] = accept_from(listener, 1 + i, clients + i);
                for (int n = 0; n < 2; n++)
                        assert_int_equal(addresses_enter(&addresses, fds[i], 2, &loads[i][n]), 0);
                assert_int_equal(addresses_enter(&addresses, fds[i], 2, &none), -EMFILE);
                assert_null(none);
                assert_ptr_equal(loads[i][0], loads[i][1]);
        }
        assert_int_equal(addresses.count, ADDRESSES);
        /* those in the middle of their buckets too */
        for (uint32_t i = 0; i < ADDRESSES; i += 2) {
                addresses_leave(&addresses, loads[i][0]);
                assert_int_equal(addresses_enter(&addresses, fds[i], 2, &loads[i][0]), 0);
                addresses_leave(&addresses, loads[i][0]);
                addresses_leave(&addresses, loads[i][1]);
        }
        assert_int_equal(addresses.count, ADDRESSES / 2);
        for (uint32_t i = 0; i < ADDRESSES; i++) {
                for (int n = 0; i % 2 == 1 && n < 2; n++)
                        addresses_leave(&addresses, loads[i][n]);
                close(fds[i]);
                close(clients[i]);
        }
        assert_int_equal(addresses.count, 0);
        addresses_deinit(&addresses);
        close(listener);
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

static void test_none(void **state)
{
        struct address_load *load = (struct address_load *)state;
        struct addresses addresses;
        int pair[2];

        addresses_init(&addresses);
        assert_return_code(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), errno);
        assert_int_equal(addresses_enter(&addresses, pair[0], 1, &load), 0);
        assert_null(load);
        addresses_leave(&addresses, load);
        addresses_deinit(&addresses);
        close(pair[0]);
        close(pair[1]);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_v4),
                cmocka_unit_test(test_mapped),
                cmocka_unit_test(test_none),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
