/* SPDX-License-Identifier: MIT */
#include "../core/harness.h"

#include "client/dns.h"
#include "name_server.h"

#include <arpa/inet.h>
#include <stdio.h>

static const struct name_rule rules[] = {
        { "both.test", NAME_A, .count = 2, .first = 1 },
        { "both.test", NAME_AAAA, .count = 1, .first = 1 },
        { "four.test", NAME_A, .count = 1, .first = 7 },
        { .name = "four.test", .type = NAME_AAAA },
        { .name = "empty.test" },
        { "broken.test", .act = NAME_FAILS },
        { "half-broken.test", NAME_A, .act = NAME_FAILS },
        { .name = "half-broken.test", .type = NAME_AAAA },
        { "confused.test", .act = NAME_CONFUSES, .first = 1, .count = 2 },
        { "garbage.test", .act = NAME_TALKS_GARBAGE, .count = 1 },
        { "cut.test", NAME_A, NAME_TRUNCATES, .first = 1, .count = 50 },
        { .name = "cut.test", .type = NAME_AAAA },
        { "many.test", .act = NAME_TRUNCATES, .first = 1, .count = 200 },
        { "silent.test", .act = NAME_IS_SILENT },
        { "lost.test", .act = NAME_IS_SILENT_ONCE, .first = 1, .count = 1 },
        { .name = NULL },
};

struct asked {
        struct ring ring;
        struct name_server server;
        char address[32];
        unsigned sockets;
        struct dns dns;
        unsigned told;
};

static void on_answer(struct dns *dns)
{
        struct asked *asked = CONTAINER_OF(dns, struct asked, dns);

        assert_true(dns->answers[DNS_V4].is_here || dns->answers[DNS_V6].is_here);
        asked->told++;
}

static void begin(struct asked *asked)
{
        asked->sockets = 0;
        assert_int_equal(start_ring(&asked->ring, NULL), 0);
        name_server_start(&asked->server, rules);
        snprintf(asked->address, sizeof(asked->address), "127.0.0.1:%u", asked->server.port);
}

static void end(struct asked *asked)
{
        TURN_UNTIL(&asked->ring, asked->sockets == 0);
        ring_deinit(&asked->ring);
        name_server_stop(&asked->server);
}

static void ask(struct asked *asked, const char *host)
{
        asked->told = 0;
        dns_open(
                &asked->dns, &asked->ring, host, 50051, asked->address, &asked->sockets, on_answer);
        assert_int_equal(asked->told, 0);
}

static void wait_for_both(struct asked *asked)
{
        struct dns_answer *answers = asked->dns.answers;

        TURN_UNTIL(&asked->ring, answers[DNS_V4].is_here && answers[DNS_V6].is_here &&
                                         !deferred_is_queued(&asked->dns.telling));
        assert_in_range(asked->told, 1, 2);
        for (unsigned i = 0; i < DNS_FAMILIES; i++)
                assert_true(!answers[i].problem == (answers[i].count > 0));
}

/* A loop-back address by its last number. */
static void assert_address(const struct dns_answer *answer, unsigned index, const char *expected)
{
        const struct endpoint *address = answer->addresses + index;
        char text[INET6_ADDRSTRLEN];

        assert_true(index < answer->count);
        if (address->any.sa_family == AF_INET6)
                inet_ntop(AF_INET6, &address->v6.sin6_addr, text, sizeof(text));
        else
                inet_ntop(AF_INET, &address->v4.sin_addr, text, sizeof(text));
        assert_string_equal(text, expected);
        assert_int_equal(endpoint_port(address), 50051);
}

static void test_answers(void **state)
{
        struct asked asked;
        const struct dns_answer *answers = asked.dns.answers;

        (void)state;
        begin(&asked);
        ask(&asked, "both.test");
        wait_for_both(&asked);
        assert_int_equal(answers[DNS_V4].count, 2);
        assert_int_equal(answers[DNS_V6].count, 1);
        assert_address(answers + DNS_V6, 0, "::1");
        dns_close(&asked.dns);

        ask(&asked, "FOUR.test");
        wait_for_both(&asked);
        assert_int_equal(answers[DNS_V6].count, 0);
        assert_address(answers + DNS_V4, 0, "127.0.0.7");
        dns_close(&asked.dns);
        end(&asked);
}

static void test_problems(void **state)
{
        static const char *const names[][2] = {
                { "gone.test", "Domain name not found" },
                { "empty.test", "it has no address" },
                { "garbage.test", "Misformatted DNS reply" },
                { "confused.test", "it has no address" },
        };
        struct asked asked;

        (void)state;
        begin(&asked);
        for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
                ask(&asked, names[i][0]);
                wait_for_both(&asked);
                assert_string_equal(dns_problem(&asked.dns), names[i][1]);
                dns_close(&asked.dns);
        }
        end(&asked);
}

/* A server that fails is asked again, and c-ares before 1.20 says no more than that nobody has answered. */
static void test_server_fails(void **state)
{
        static const char *const names[] = { "broken.test", "half-broken.test" };
        struct asked asked;

        (void)state;
        begin(&asked);
        for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
                const char *problem;

                ask(&asked, names[i]);
                wait_for_both(&asked);
                problem = dns_problem(&asked.dns);
                assert_true(strcmp(problem, "DNS server returned general failure") == 0 ||
                            strcmp(problem, "Could not contact DNS servers") == 0);
                assert_true(asked.server.asked > 2);
                dns_close(&asked.dns);
        }
        end(&asked);
}

/* What UDP has no room for comes by TCP; of too many addresses the first ones are taken. */
static void test_tcp(void **state)
{
        struct asked asked;
        const struct dns_answer *answers = asked.dns.answers;

        (void)state;
        begin(&asked);
        ask(&asked, "cut.test");
        wait_for_both(&asked);
        assert_int_equal(answers[DNS_V4].count, 50);
        assert_int_equal(answers[DNS_V6].count, 0);
        assert_int_equal(asked.server.asked_by_tcp, 1);
        dns_close(&asked.dns);

        ask(&asked, "many.test");
        wait_for_both(&asked);
        assert_int_equal(answers[DNS_V4].count, DNS_ADDRESSES_MAX);
        assert_int_equal(answers[DNS_V6].count, DNS_ADDRESSES_MAX);
        dns_close(&asked.dns);
        end(&asked);
}

/* Nobody is asked. */
static void test_localhost(void **state)
{
        struct asked asked;

        (void)state;
        begin(&asked);
        ask(&asked, "localhost");
        wait_for_both(&asked);
        assert_address(asked.dns.answers + DNS_V4, 0, "127.0.0.1");
        assert_address(asked.dns.answers + DNS_V6, 0, "::1");
        assert_int_equal(asked.server.asked, 0);
        dns_close(&asked.dns);
        end(&asked);
}

static void test_nobody_serves(void **state)
{
        struct asked asked;

        (void)state;
        begin(&asked);
        name_server_stop(&asked.server);
        ask(&asked, "both.test");
        wait_for_both(&asked);
        assert_string_equal(dns_problem(&asked.dns), "Could not contact DNS servers");
        dns_close(&asked.dns);
        name_server_start(&asked.server, rules);
        end(&asked);
}

/* A question that was lost is asked again. */
static void test_lost(void **state)
{
        struct asked asked;

        (void)state;
        begin(&asked);
        setenv("RES_OPTIONS", "retrans:50 retry:5", 1);
        ask(&asked, "lost.test");
        unsetenv("RES_OPTIONS");
        wait_for_both(&asked);
        assert_address(asked.dns.answers + DNS_V4, 0, "127.0.0.1");
        assert_true(asked.server.asked >= 4);
        dns_close(&asked.dns);
        end(&asked);
}

/* All at once, at any time. */
static void test_close(void **state)
{
        static const char *const names[] = { "silent.test", "both.test", "many.test", "localhost" };
        struct asked asked;

        (void)state;
        begin(&asked);
        for (unsigned i = 0; i < 40; i++) {
                unsigned told;

                ask(&asked, names[i % 4]);
                for (unsigned turns = 0; turns < i / 4; turns++)
                        assert_int_equal(ring_turn(&asked.ring, MS), 0);
                told = asked.told;
                dns_close(&asked.dns);
                memset(&asked.dns, 0xa5, sizeof(asked.dns));
                TURN_UNTIL(&asked.ring, asked.sockets == 0);
                assert_int_equal(ring_turn(&asked.ring, 0), 0);
                assert_int_equal(asked.told, told);
                assert_int_equal(asked.ring.timers.count, 0);
        }
        end(&asked);
}

static void test_bad_server(void **state)
{
        struct asked asked;

        (void)state;
        begin(&asked);
        strcpy(asked.address, "nonsense");
        ask(&asked, "both.test");
        wait_for_both(&asked);
        assert_non_null(dns_problem(&asked.dns));
        dns_close(&asked.dns);
        end(&asked);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_answers),
                cmocka_unit_test(test_problems),
                cmocka_unit_test(test_server_fails),
                cmocka_unit_test(test_tcp),
                cmocka_unit_test(test_localhost),
                cmocka_unit_test(test_nobody_serves),
                cmocka_unit_test(test_lost),
                cmocka_unit_test(test_close),
                cmocka_unit_test(test_bad_server),
        };

        return RUN_ON_BOTH_ENGINES("client/dns", tests);
}
