/* SPDX-License-Identifier: MIT */
#include "harness.h"

#include "core/bind.h"
#include "core/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

enum { ACCEPTED_MAX = 4096 };

struct acceptor {
        struct listener listener;
        struct ring ring;
        int fds[ACCEPTED_MAX];
        struct endpoint peers[ACCEPTED_MAX]; /* as they were told */
        unsigned accepted, backoffs, closed;
        int backoff_error;
        uint16_t port;
        bool stop_at_accept;
};

static void on_accept(struct listener *listener, int fd, const struct endpoint *peer)
{
        struct acceptor *acceptor = CONTAINER_OF(listener, struct acceptor, listener);

        assert_int_equal(acceptor->closed, 0);
        assert_true(acceptor->accepted < ACCEPTED_MAX);
        acceptor->peers[acceptor->accepted] = *peer;
        acceptor->fds[acceptor->accepted++] = fd;
        if (acceptor->stop_at_accept)
                listener_stop(listener);
}

static void on_backoff(struct listener *listener, int error)
{
        struct acceptor *acceptor = CONTAINER_OF(listener, struct acceptor, listener);

        acceptor->backoffs++;
        acceptor->backoff_error = error;
}

static void on_closed(struct listener *listener)
{
        CONTAINER_OF(listener, struct acceptor, listener)->closed++;
}

static const struct listener_handler handler = {
        .on_accept = on_accept,
        .on_backoff = on_backoff,
        .on_closed = on_closed,
};

static struct acceptor *acceptor_of(int fd, uint16_t port, const struct ring_options *options)
{
        struct acceptor *acceptor = calloc(1, sizeof(*acceptor));

        assert_non_null(acceptor);
        acceptor->port = port;
        assert_int_equal(start_ring(&acceptor->ring, options), 0);
        listener_start(&acceptor->listener, &acceptor->ring, fd, &handler);
        return acceptor;
}

static struct acceptor *acceptor_new(const struct ring_options *options)
{
        int fds[BIND_FDS_MAX];
        uint16_t port;

        assert_int_equal(bind_tcp("127.0.0.1", 0, NULL, fds, &port), 1);
        return acceptor_of(fds[0], port, options);
}

static void acceptor_free(struct acceptor *acceptor)
{
        listener_stop(&acceptor->listener);
        TURN_UNTIL(&acceptor->ring, acceptor->closed > 0);
        assert_int_equal(acceptor->closed, 1);
        for (unsigned i = 0; i < acceptor->accepted; i++)
                close(acceptor->fds[i]);
        ring_deinit(&acceptor->ring);
        free(acceptor);
}

static int connect_to_v6(uint16_t port)
{
        struct sockaddr_in6 address = {
                .sin6_family = AF_INET6,
                .sin6_addr = IN6ADDR_LOOPBACK_INIT,
                .sin6_port = htons(port),
        };
        int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

        assert_true(fd >= 0);
        assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
        return fd;
}

static int connect_to(uint16_t port)
{
        struct sockaddr_in address = {
                .sin_family = AF_INET,
                .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                .sin_port = htons(port),
        };
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        assert_true(fd >= 0);
        if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
                close(fd);
                return -errno;
        }
        return fd;
}

static void storm(const struct ring_options *options)
{
        enum { COUNT = 1000 };
        struct acceptor *acceptor = acceptor_new(options);
        int *fds = calloc(COUNT, sizeof(*fds));

        assert_non_null(fds);
        for (unsigned i = 0; i < COUNT; i++)
                fds[i] = connect_to(acceptor->port);
        TURN_UNTIL(&acceptor->ring, acceptor->accepted == COUNT);
        assert_int_equal(acceptor->backoffs, 0);
        for (unsigned i = 0; i < COUNT; i++) {
                assert_true(fds[i] >= 0);
                close(fds[i]);
        }
        free(fds);
        acceptor_free(acceptor);
}

static void test_storm(void **state)
{
        struct ring_options small = { .sq_entries = 4, .cq_entries = 8 };

        (void)state;
        storm(NULL);
        storm(&small); /* the CQ overflows */
}

/* However many come: what is open already has its turn between them. */
static void test_a_turn_accepts_some(void **state)
{
        enum { COUNT = 3 * ACCEPTS_A_TURN };
        struct acceptor *acceptor = acceptor_new(NULL);
        unsigned before = 0, turns = 0;
        int clients[COUNT];

        (void)state;
        turn_for(&acceptor->ring, 5 * MS);
        for (unsigned i = 0; i < COUNT; i++)
                clients[i] = connect_to(acceptor->port);
        for (; acceptor->accepted < COUNT && turns < 1000; turns++) {
                assert_int_equal(ring_turn(&acceptor->ring, SECOND), 0);
                assert_true(acceptor->accepted - before <= ACCEPTS_A_TURN);
                before = acceptor->accepted;
        }
        assert_int_equal(acceptor->accepted, COUNT);
        assert_in_range(turns, 3, 30); /* and not one by one */
        for (unsigned i = 0; i < COUNT; i++)
                close(clients[i]);
        acceptor_free(acceptor);
}

static void test_out_of_descriptors_backs_off(void **state)
{
        enum { CLIENTS = 20, ROOM = 8 };
        struct acceptor *acceptor = acceptor_new(NULL);
        struct rlimit before, tight;
        int clients[CLIENTS], lowest_free;

        (void)state;
        for (unsigned i = 0; i < CLIENTS; i++)
                clients[i] = connect_to(acceptor->port);
        lowest_free = dup(0);
        close(lowest_free);
        assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
        tight = (struct rlimit){ .rlim_cur = (rlim_t)lowest_free + ROOM,
                .rlim_max = before.rlim_max };
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
        TURN_UNTIL(&acceptor->ring, acceptor->backoffs > 0);
        assert_int_equal(acceptor->backoff_error, -EMFILE);
        assert_int_equal(acceptor->accepted, ROOM);
        turn_for(&acceptor->ring, 350 * MS);
        assert_in_range(acceptor->backoffs, 2, 5); /* no spinning */
        assert_int_equal(acceptor->accepted, ROOM);

        /* The others waited in the backlog. */
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
        TURN_UNTIL(&acceptor->ring, acceptor->accepted == CLIENTS);
        for (unsigned i = 0; i < CLIENTS; i++)
                close(clients[i]);
        acceptor_free(acceptor);
}

static void test_stop_while_backing_off(void **state)
{
        struct acceptor *acceptor = acceptor_new(NULL);
        struct rlimit before, tight;
        int client = connect_to(acceptor->port);

        (void)state;
        assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
        tight = (struct rlimit){ .rlim_cur = 3, .rlim_max = before.rlim_max };
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
        TURN_UNTIL(&acceptor->ring, acceptor->backoffs > 0);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
        listener_stop(&acceptor->listener);
        listener_stop(&acceptor->listener);
        turn_for(&acceptor->ring, 150 * MS);
        assert_int_equal(acceptor->closed, 1);
        close(client);
        acceptor_free(acceptor);
}

static void test_stop_loses_no_connection(void **state)
{
        enum { COUNT = 20 };
        struct acceptor *acceptor = acceptor_new(NULL);
        int fds[COUNT];

        (void)state;
        acceptor->stop_at_accept = true;
        for (unsigned i = 0; i < COUNT; i++)
                fds[i] = connect_to(acceptor->port);
        TURN_UNTIL(&acceptor->ring, acceptor->closed > 0);
        /* All were accepted by the kernel in the turn that stopped it. */
        assert_int_equal(acceptor->accepted, COUNT);
        assert_int_equal(connect_to(acceptor->port), -ECONNREFUSED);
        for (unsigned i = 0; i < COUNT; i++)
                close(fds[i]);
        acceptor_free(acceptor);
}

static void assert_told(const struct acceptor *acceptor, unsigned index, int client)
{
        const struct endpoint *told = acceptor->peers + index;
        struct endpoint own;

        endpoint_of_socket(client, &own);
        assert_true(own.bytes > 0);
        assert_int_equal(told->bytes, own.bytes);
        assert_memory_equal(&told->any, &own.any, own.bytes);
}

/* Each with its own, however many come at once. */
static void test_who_comes_is_told(void **state)
{
        enum { COUNT = 100 };
        struct acceptor *acceptor = acceptor_new(NULL);
        int clients[COUNT];

        (void)state;
        for (unsigned i = 0; i < COUNT; i++)
                clients[i] = connect_to(acceptor->port);
        TURN_UNTIL(&acceptor->ring, acceptor->accepted == COUNT);
        for (unsigned i = 0; i < COUNT; i++) {
                assert_told(acceptor, i, clients[i]);
                assert_int_equal(
                        endpoint_port(acceptor->peers + i), ntohs(acceptor->peers[i].v4.sin_port));
                close(clients[i]);
        }
        acceptor_free(acceptor);
}

/* An address behind a longer one has nothing left of it. */
static void test_who_comes_by_a_unix_socket(void **state)
{
        static const char *const names[] = { "quoit-test-a-longer-name-%d", NULL, "quoit-b-%d" };
        enum { COUNT = sizeof(names) / sizeof(*names) };
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        struct endpoint_credentials credentials;
        struct acceptor *acceptor;
        int clients[COUNT], listening;
        char name[64];

        (void)state;
        snprintf(name, sizeof(name), "quoit-test-listener-%d", getpid());
        assert_int_equal(bind_unix_abstract(name, NULL, &listening), 0);
        acceptor = acceptor_of(listening, 0, NULL);
        for (unsigned i = 0; i < COUNT; i++) {
                socklen_t bytes = offsetof(struct sockaddr_un, sun_path) + 1;

                clients[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
                if (names[i]) {
                        int size = snprintf(address.sun_path + 1, 64, names[i], getpid());

                        assert_int_equal(bind(clients[i], (struct sockaddr *)&address,
                                                 bytes + (socklen_t)size),
                                0);
                }
                strcpy(address.sun_path + 1, name);
                assert_int_equal(connect(clients[i], (struct sockaddr *)&address,
                                         bytes + (socklen_t)strlen(name)),
                        0);
        }
        TURN_UNTIL(&acceptor->ring, acceptor->accepted == COUNT);
        for (unsigned i = 0; i < COUNT; i++) {
                assert_told(acceptor, i, clients[i]);
                assert_true(endpoint_get_credentials(acceptor->fds[i], &credentials));
                assert_int_equal(credentials.pid, getpid());
                assert_int_equal(credentials.uid, getuid());
                assert_int_equal(credentials.gid, getgid());
                assert_int_equal(endpoint_port(acceptor->peers + i), 0);
                close(clients[i]);
        }
        acceptor_free(acceptor);
}

/* @client resets its connection before it is accepted. */
static void reset_early(struct acceptor *acceptor, int client)
{
        struct linger reset = { .l_onoff = 1 };
        struct endpoint own;

        endpoint_of_socket(client, &own);
        assert_true(own.bytes > 0);
        /* what came before must not be told of it */
        memset(&acceptor->listener.accept_op.peer, 0xff, sizeof(own));
        assert_int_equal(setsockopt(client, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)), 0);
        close(client);
        TURN_UNTIL(&acceptor->ring, acceptor->accepted == 1);
        assert_int_equal(acceptor->peers[0].bytes, own.bytes);
        assert_memory_equal(&acceptor->peers[0].any, &own.any, own.bytes);
        acceptor_free(acceptor);
}

/* Limits by address count it nevertheless. */
static void test_who_has_gone(void **state)
{
        struct acceptor *acceptor = acceptor_new(NULL);
        int fds[BIND_FDS_MAX];
        uint16_t port;

        (void)state;
        reset_early(acceptor, connect_to(acceptor->port));
        assert_int_equal(bind_tcp("::1", 0, NULL, fds, &port), 1);
        reset_early(acceptor_of(fds[0], port, NULL), connect_to_v6(port));
}

static unsigned accepted_by(const struct acceptor *one, const struct acceptor *other)
{
        return one->accepted + (other != one ? other->accepted : 0);
}

static void connect_and_share(struct acceptor *one, struct acceptor *other, unsigned count)
{
        unsigned sum = accepted_by(one, other) + count;
        uint64_t limit_ns = clock_ns() + 20 * SECOND;

        for (unsigned i = 0; i < count; i++)
                close(connect_to(one->port));
        while (accepted_by(one, other) < sum) {
                assert_true(clock_ns() < limit_ns);
                assert_int_equal(ring_turn(&one->ring, 0), 0);
                assert_int_equal(ring_turn(&other->ring, 0), 0);
        }
}

/* As in a restart: both processes have one socket, and its flags, and may run on different engines. */
static void test_two_engines_share_a_socket(void **state)
{
        enum ring_engine engine = engine_under_test;
        bool on_uring_before = on_uring();
        int fds[BIND_FDS_MAX], other_fd;
        struct acceptor *old, *new;
        uint64_t completions;
        uint16_t port;

        (void)state;
        assert_int_equal(bind_tcp("127.0.0.1", 0, NULL, fds, &port), 1);
        other_fd = dup(fds[0]);
        old = acceptor_of(fds[0], port, NULL);
        connect_and_share(old, old, 20);
        engine_under_test = on_uring() ? RING_EPOLL : RING_URING;
        /* who clears the flag makes the ring of the other wait in accept4() */
        assert_int_equal(bind_adopt(other_fd), 0);
        assert_int_equal(!(fcntl(other_fd, F_GETFL) & O_NONBLOCK), on_uring_before);
        new = acceptor_of(other_fd, port, NULL);
        assert_int_equal(!(fcntl(other_fd, F_GETFL) & O_NONBLOCK), on_uring_before);
        engine_under_test = engine;
        for (unsigned round = 0; round < 20; round++) {
                connect_and_share(old, new, 5);
                /* armed anew, as after an error */
                if (round % 4 == 0) {
                        listener_stop(&new->listener);
                        TURN_UNTIL(&new->ring, new->closed > 0);
                        new->closed = 0;
                        other_fd = dup(fds[0]);
                        listener_start(&new->listener, &new->ring, other_fd, &handler);
                }
        }
        /* nor does the flag keep the one busy that does not want it */
        completions = old->ring.stats.completions + new->ring.stats.completions;
        turn_for(&old->ring, 20 * MS);
        turn_for(&new->ring, 20 * MS);
        assert_true(old->ring.stats.completions + new->ring.stats.completions <= completions + 2);
        listener_stop(&old->listener);
        TURN_UNTIL(&old->ring, old->closed > 0);
        connect_and_share(new, new, 20);
        assert_int_equal(old->backoffs + new->backoffs, 0);
        acceptor_free(old);
        acceptor_free(new);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_storm),
                cmocka_unit_test(test_a_turn_accepts_some),
                cmocka_unit_test(test_out_of_descriptors_backs_off),
                cmocka_unit_test(test_stop_while_backing_off),
                cmocka_unit_test(test_stop_loses_no_connection),
                cmocka_unit_test(test_who_comes_is_told),
                cmocka_unit_test(test_who_comes_by_a_unix_socket),
                cmocka_unit_test(test_who_has_gone),
                cmocka_unit_test(test_two_engines_share_a_socket),
        };

        return RUN_ON_BOTH_ENGINES("core/listener", tests);
}
