/* SPDX-License-Identifier: MIT */
#include "harness.h"

#include "core/bind.h"
#include "core/connector.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

struct attempt {
        struct connector connector;
        unsigned results;
        int result;
};

static void on_result(struct connector *connector, int result)
{
        struct attempt *attempt = CONTAINER_OF(connector, struct attempt, connector);

        assert_false(timer_is_running(&connector->limit));
        assert_int_equal(connector->in_flight, 0);
        attempt->results++;
        attempt->result = result;
}

static struct sockaddr_in loopback(uint16_t port)
{
        return (struct sockaddr_in){
                .sin_family = AF_INET,
                .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                .sin_port = htons(port),
        };
}

static void start(struct attempt *attempt, struct ring *ring, uint16_t port, uint64_t deadline_ns)
{
        struct sockaddr_in address = loopback(port);

        attempt->results = 0;
        assert_int_equal(connector_start(&attempt->connector, ring, (struct sockaddr *)&address,
                                 sizeof(address), deadline_ns, 3000, on_result),
                0);
        assert_int_equal(attempt->results, 0);
}

static void test_connects(void **state)
{
        struct attempt attempt;
        struct ring ring;
        socklen_t size = sizeof(int);
        int fds[BIND_FDS_MAX], value = 0;
        uint16_t port;

        (void)state;
        assert_int_equal(start_ring(&ring, NULL), 0);
        assert_int_equal(bind_tcp("127.0.0.1", 0, NULL, fds, &port), 1);
        start(&attempt, &ring, port, clock_ns() + 10 * SECOND);
        TURN_UNTIL(&ring, attempt.results > 0);
        assert_int_equal(
                getsockopt(attempt.result, IPPROTO_TCP, TCP_USER_TIMEOUT, &value, &size), 0);
        assert_int_equal(value, 3000);
        assert_true(attempt.result >= 0);
        assert_int_equal(getsockopt(attempt.result, IPPROTO_TCP, TCP_NODELAY, &value, &size), 0);
        assert_int_not_equal(value, 0);
        close(attempt.result);
        close(fds[0]);

        start(&attempt, &ring, port, TIMER_NEVER);
        TURN_UNTIL(&ring, attempt.results > 0);
        assert_int_equal(attempt.result, -ECONNREFUSED);
        ring_deinit(&ring);
}

/* A listener with a full backlog answers no SYN: connecting takes for ever. */
static void test_gives_up(void **state)
{
        enum { FILLERS = 8 };
        struct bind_options tiny = { .backlog = 1 };
        struct attempt fillers[FILLERS], attempt;
        uint64_t start_ns;
        struct ring ring;
        int fds[BIND_FDS_MAX];
        uint16_t port;

        (void)state;
        assert_int_equal(start_ring(&ring, NULL), 0);
        assert_int_equal(bind_tcp("127.0.0.1", 0, &tiny, fds, &port), 1);
        for (unsigned i = 0; i < FILLERS; i++)
                start(&fillers[i], &ring, port, TIMER_NEVER);
        turn_for(&ring, 20 * MS);

        start_ns = clock_ns();
        start(&attempt, &ring, port, start_ns + 50 * MS);
        TURN_UNTIL(&ring, attempt.results > 0);
        assert_int_equal(attempt.result, -ETIMEDOUT);
        assert_true(clock_ns() - start_ns >= 50 * MS);

        start(&attempt, &ring, port, start_ns + 60 * SECOND);
        assert_int_equal(ring_turn(&ring, 0), 0);
        connector_cancel(&attempt.connector);
        connector_cancel(&attempt.connector);
        TURN_UNTIL(&ring, attempt.results > 0);
        assert_int_equal(attempt.result, -ECANCELED);

        for (unsigned i = 0; i < FILLERS; i++) {
                if (fillers[i].results == 0)
                        connector_cancel(&fillers[i].connector);
                TURN_UNTIL(&ring, fillers[i].results > 0);
                if (fillers[i].result >= 0)
                        close(fillers[i].result);
        }
        turn_for(&ring, 5 * MS);
        assert_int_equal(attempt.results, 1);
        close(fds[0]);
        ring_deinit(&ring);
}

static void test_impossible_socket(void **state)
{
        struct sockaddr address = { .sa_family = 200 };
        struct attempt attempt = {};
        struct ring ring;

        (void)state;
        assert_int_equal(start_ring(&ring, NULL), 0);
        assert_true(connector_start(&attempt.connector, &ring, &address, sizeof(address),
                            TIMER_NEVER, 0, on_result) < 0);
        assert_int_equal(attempt.results, 0);
        ring_deinit(&ring);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_connects),
                cmocka_unit_test(test_gives_up),
                cmocka_unit_test(test_impossible_socket),
        };

        return RUN_ON_BOTH_ENGINES("core/connector", tests);
}
