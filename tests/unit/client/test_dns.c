/* SPDX-License-Identifier: MIT */
#include "../core/harness.h"

#include "client/dns.h"
#include "name_server.h"

#include <arpa/inet.h>
#include <stdio.h>

static const struct name_service services[] = {
        { "b.test", 20, 0, 2 },
        { "a.test", 10, 60, 1 },
        { "c.test", 20, 7, 3 },
        { "d.test", 10, 5, 65535 },
};
static const struct name_service never[] = { { ".", 0, 0, 0 } };
static const struct name_service odd[] = { { "no port.test", 1, 0, 1 }, { "zero.test", 1, 0, 0 },
        { "a\001.test", 1, 0, 1 } };
static struct name_service crowd[20]; /* priorities 19 to 0 */
static char long_text[5000];

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
        { "_grpc._tcp.both.test", NAME_SRV, .services = services, .count = 4 },
        { "_grpc._tcp.crowd.test", NAME_SRV, .services = crowd, .count = 20 },
        { "_grpc._tcp.never.test", NAME_SRV, .services = never, .count = 1 },
        { "_grpc._tcp.odd.test", NAME_SRV, .services = odd, .count = 3 },
        { "_grpc._tcp.mixed.test", NAME_SRV, NAME_CONFUSES, .first = 1, .count = 2 },
        { "_grpc._tcp.garbage.test", NAME_SRV, NAME_TALKS_GARBAGE, .count = 1 },
        { "_grpc_config.short.test", NAME_TXT, .text = "grpc_config=[{}]", .count = 1 },
        { "_grpc_config.long.test", NAME_TXT, .text = long_text, .count = 1 },
        { "_grpc_config.other.test", NAME_TXT, .text = "v=spf1 -all", .count = 3 },
        { "_grpc_config.empty.test", NAME_TXT, .text = "", .count = 1 },
        { "_grpc_config.garbage.test", NAME_TXT, NAME_TALKS_GARBAGE, .count = 1 },
        { .name = NULL },
};

struct asked {
        struct ring ring;
        struct name_server server;
        char address[32];
        unsigned sockets;
        struct dns dns;
        struct dns_host host;
        struct dns_srv srv;
        struct dns_txt txt;
        unsigned told;
};

static void on_answer(struct dns *dns)
{
        struct asked *asked = CONTAINER_OF(dns, struct asked, dns);

        assert_true(asked->host.families[DNS_V4].answer.is_here ||
                    asked->host.families[DNS_V6].answer.is_here || asked->srv.answer.is_here ||
                    asked->txt.answer.is_here);
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

static void open_dns(struct asked *asked)
{
        asked->told = 0;
        memset(&asked->host, 0, sizeof(asked->host));
        memset(&asked->srv, 0, sizeof(asked->srv));
        memset(&asked->txt, 0, sizeof(asked->txt));
        dns_open(&asked->dns, &asked->ring, asked->address, &asked->sockets, on_answer);
}

static void ask(struct asked *asked, const char *host)
{
        open_dns(asked);
        dns_ask_host(&asked->dns, &asked->host, host, 50051);
        assert_int_equal(asked->told, 0);
}

static void wait_for_both(struct asked *asked)
{
        struct dns_addresses *answers = asked->host.families;

        TURN_UNTIL(&asked->ring,
                dns_host_is_whole(&asked->host) && !deferred_is_queued(&asked->dns.telling));
        assert_in_range(asked->told, 1, 2);
        for (unsigned i = 0; i < DNS_FAMILIES; i++)
                assert_true(!answers[i].answer.problem == (answers[i].count > 0));
}

/* A loop-back address by its last number. */
static void assert_address(const struct dns_addresses *answer, unsigned index, const char *expected)
{
        const struct endpoint *address = answer->list + index;
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
        const struct dns_addresses *answers = asked.host.families;

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
                assert_string_equal(dns_host_problem(&asked.host), names[i][1]);
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
                problem = dns_host_problem(&asked.host);
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
        const struct dns_addresses *answers = asked.host.families;

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
        assert_address(asked.host.families + DNS_V4, 0, "127.0.0.1");
        assert_address(asked.host.families + DNS_V6, 0, "::1");
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
        assert_string_equal(dns_host_problem(&asked.host), "Could not contact DNS servers");
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
        assert_address(asked.host.families + DNS_V4, 0, "127.0.0.1");
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
        assert_non_null(dns_host_problem(&asked.host));
        dns_close(&asked.dns);
        end(&asked);
}

/* ---- records ---- */

static void ask_srv(struct asked *asked, const char *name)
{
        open_dns(asked);
        dns_ask_srv(&asked->dns, &asked->srv, name);
        assert_int_equal(asked->told, 0);
        TURN_UNTIL(&asked->ring,
                asked->srv.answer.is_here && !deferred_is_queued(&asked->dns.telling));
        assert_int_equal(asked->told, 1);
        assert_true(!asked->srv.answer.problem == (asked->srv.count > 0));
        dns_close(&asked->dns);
}

static void assert_service(
        const struct dns_srv *srv, unsigned index, const struct name_service *expected)
{
        const struct dns_service *service = srv->services + index;

        assert_string_equal(service->host, expected->host);
        assert_int_equal(service->priority, expected->priority);
        assert_int_equal(service->weight, expected->weight);
        assert_int_equal(service->port, expected->port);
}

/* By priority; those of one in the server's order. */
static void test_srv(void **state)
{
        struct asked asked;

        (void)state;
        begin(&asked);
        ask_srv(&asked, "_grpc._tcp.both.test");
        assert_int_equal(asked.srv.count, 4);
        assert_service(&asked.srv, 0, services + 1);
        assert_service(&asked.srv, 1, services + 3);
        assert_service(&asked.srv, 2, services + 0);
        assert_service(&asked.srv, 3, services + 2);
        end(&asked);
}

/* Of too many those are taken that matter most. They come by TCP. */
static void test_srv_crowd(void **state)
{
        struct asked asked;

        (void)state;
        for (unsigned i = 0; i < 20; i++)
                crowd[i] = (struct name_service){ "a.long.name.of.a.host.test", 19 - i, 1, i + 1 };
        begin(&asked);
        ask_srv(&asked, "_grpc._tcp.crowd.test");
        assert_int_equal(asked.server.asked_by_tcp, 1);
        assert_int_equal(asked.srv.count, DNS_SRV_MAX);
        for (unsigned i = 0; i < DNS_SRV_MAX; i++)
                assert_int_equal(asked.srv.services[i].priority, i);
        end(&asked);
}

static void test_srv_nothing(void **state)
{
        static const char *const names[] = { "gone.test", "never.test", "odd.test", "mixed.test" };
        struct asked asked;

        (void)state;
        begin(&asked);
        for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
                char name[64];

                snprintf(name, sizeof(name), "_grpc._tcp.%s", names[i]);
                ask_srv(&asked, name);
                assert_int_equal(asked.srv.count, 0);
                assert_true(asked.srv.answer.is_none);
                assert_int_equal(asked.srv.is_refused, i == 1);
        }
        ask_srv(&asked, "_grpc._tcp.garbage.test");
        assert_int_equal(asked.srv.count, 0);
        assert_false(asked.srv.answer.is_none);
        end(&asked);
}

static void ask_txt(struct asked *asked, const char *name)
{
        open_dns(asked);
        dns_ask_txt(&asked->dns, &asked->txt, name, "grpc_config=");
        TURN_UNTIL(&asked->ring,
                asked->txt.answer.is_here && !deferred_is_queued(&asked->dns.telling));
        assert_int_equal(asked->told, 1);
        assert_true(!asked->txt.answer.problem == (asked->txt.text != NULL));
        dns_close(&asked->dns);
}

/* A record's strings are one text, without the prefix. */
static void test_txt(void **state)
{
        struct asked asked;

        (void)state;
        memset(long_text, 'x', sizeof(long_text) - 1);
        memcpy(long_text, "grpc_config=", 12);
        begin(&asked);
        ask_txt(&asked, "_grpc_config.short.test");
        assert_string_equal(asked.txt.text, "[{}]");
        assert_int_equal(asked.txt.size, 4);
        dns_txt_deinit(&asked.txt);
        ask_txt(&asked, "_grpc_config.long.test");
        assert_string_equal(asked.txt.text, long_text + 12);
        dns_txt_deinit(&asked.txt);
        for (unsigned i = 0; i < 3; i++) {
                static const char *const names[] = { "_grpc_config.other.test",
                        "_grpc_config.empty.test", "_grpc_config.gone.test" };

                ask_txt(&asked, names[i]);
                assert_true(asked.txt.answer.is_none);
        }
        ask_txt(&asked, "_grpc_config.garbage.test");
        assert_false(asked.txt.answer.is_none);
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
                cmocka_unit_test(test_srv),
                cmocka_unit_test(test_srv_crowd),
                cmocka_unit_test(test_srv_nothing),
                cmocka_unit_test(test_txt),
        };

        return RUN_ON_BOTH_ENGINES("client/dns", tests);
}
