/* SPDX-License-Identifier: MIT */

/* Which server has a call: policies with real servers and connections. */

#include "stage.h"

#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "client/channel.h"
#include "client/handle.h"

#define SERVERS STAGE_SERVERS_MAX

/* ---- a channel to some servers ---- */

static void open_to(struct stage *stage, const quoit_load_balancing *balancing, unsigned count)
{
        const quoit_channel_options options = { .load_balancing = balancing };
        char target[120] = "ipv4:";

        for (unsigned i = 0; i < count; i++)
                strcat(strcat(target, i > 0 ? "," : ""), stage->servers[i].target);
        stage_open_with(stage, target, &options);
}

struct look {
        struct stage *stage;
        unsigned ready;
};

static void look(void *arg)
{
        struct look *seen = arg;
        const struct channel *channel = seen->stage->channel->parts[0];

        seen->ready = 0;
        for (unsigned i = 0; i < channel->count; i++)
                seen->ready += channel->subchannels[i]->state == SUBCHANNEL_READY;
}

static unsigned ready_count(struct stage *stage)
{
        struct look seen = { .stage = stage };

        stage_run(stage, look, &seen);
        return seen.ready;
}

static void begin(struct stage *stage, const quoit_load_balancing *balancing,
        const quoit_client_limits *limits, const quoit_limits *server_limits)
{
        stage_init(stage, limits);
        for (unsigned i = 0; i < SERVERS; i++)
                stage_serve(stage, i, 0, server_limits);
        open_to(stage, balancing, SERVERS);
}

static void begin_ready(struct stage *stage, const quoit_load_balancing *balancing,
        const quoit_limits *server_limits)
{
        begin(stage, balancing, NULL, server_limits);
        assert_int_equal(quoit_channel_connect(stage->channel), 0);
        WAIT(ready_count(stage) == SERVERS);
}

/* ---- calls ---- */

static unsigned started(const struct stage *stage, unsigned index)
{
        return (unsigned)stage_started(stage, index);
}

/* By the server that began another call than before. */
static unsigned call_with_key(struct stage *stage, const char *key)
{
        const quoit_call_options options = { .hash_key = upb_StringView_FromString(key) };
        struct told told = { .options = key ? &options : NULL };
        unsigned before[SERVERS];

        for (unsigned i = 0; i < SERVERS; i++)
                before[i] = started(stage, i);
        told_call(stage, &told);
        assert_string_equal(told.text, "OK");
        for (unsigned i = 0; i < SERVERS; i++) {
                if (started(stage, i) != before[i])
                        return i;
        }
        fail();
        return 0;
}

#define HELD_MAX 60

static void hold(
        struct stage *stage, struct told *told, unsigned count, const quoit_call_options *options)
{
        for (unsigned i = 0; i < count; i++) {
                told[i] = (struct told){ .stage = stage, .act = SCRIPT_HOLD, .options = options };
                stage_run(stage, told_start, told + i);
        }
}

static void let_go(struct stage *stage, struct told *told, unsigned count)
{
        for (unsigned i = 0; i < count; i++) {
                stage_run(stage, told_cancel, told + i);
                told_wait(told + i);
        }
}

static void wait_started(const struct stage *stage, unsigned count)
{
        WAIT(started(stage, 0) + started(stage, 1) + started(stage, 2) >= count);
}

/* ---- round_robin ---- */

static const quoit_load_balancing in_turn = { .policy = "round_robin" };

static void test_round_robin(void **state)
{
        struct stage stage;

        (void)state;
        begin_ready(&stage, &in_turn, NULL);
        for (unsigned i = 0; i < 300; i++)
                stage_call_ok(&stage);
        for (unsigned i = 0; i < SERVERS; i++)
                assert_int_equal(started(&stage, i), 100);
        stage_deinit(&stage);
}

/* It begins with the first that is READY, and finds the others meanwhile. */
static void test_round_robin_from_idle(void **state)
{
        struct stage stage;

        (void)state;
        begin(&stage, &in_turn, NULL, NULL);
        stage_call_ok(&stage);
        WAIT(ready_count(&stage) == SERVERS);
        stage_deinit(&stage);
}

/* A server goes, with GOAWAY, and comes back: no call fails, and it has its share again. */
static void test_server_goes_and_comes(void **state)
{
        struct stage stage;
        uint16_t port;

        (void)state;
        begin(&stage, &in_turn,
                &(quoit_client_limits){ .backoff_initial_ms = 20, .backoff_max_ms = 50 }, NULL);
        assert_int_equal(quoit_channel_connect(stage.channel), 0);
        WAIT(ready_count(&stage) == SERVERS);
        for (unsigned i = 0; i < 30; i++)
                stage_call_ok(&stage);
        port = stage.servers[1].port;
        stage_end_server(&stage, 1);
        for (unsigned i = 0; i < 30; i++)
                stage_call_ok(&stage);
        assert_int_equal(started(&stage, 0) + started(&stage, 2), 50);
        stage_serve(&stage, 1, port, NULL);
        WAIT(ready_count(&stage) == SERVERS);
        for (unsigned i = 0; i < 30; i++)
                stage_call_ok(&stage);
        assert_int_equal(started(&stage, 1), 10);
        stage_deinit(&stage);
}

/* Connections that live for a moment: as with pick_first, no call notices. */
static void test_short_lives(void **state)
{
        struct stage stage;
        const quoit_limits limits = { .connection_age_ms = 30, .connection_age_grace_ms = 5000 };
        uint64_t end_ns = clock_ns() + SECOND;

        (void)state;
        begin(&stage, &in_turn, NULL, &limits);
        while (clock_ns() < end_ns)
                stage_calls_ok(&stage);
        stage_deinit(&stage);
}

/* Servers that take two calls each: the seventh waits for any of them. */
static void test_room(void **state)
{
        static struct told told[7];
        struct stage stage;
        struct told one = { 0 };

        (void)state;
        begin_ready(&stage, &in_turn, &(quoit_limits){ .streams_max = 2 });
        hold(&stage, told, 6, NULL);
        wait_started(&stage, 6);
        for (unsigned i = 0; i < SERVERS; i++)
                assert_int_equal(started(&stage, i), 2);
        one.stage = &stage;
        stage_run(&stage, told_start, &one);
        usleep(20000);
        assert_int_equal(one.dones, 0);
        let_go(&stage, told + 3, 1);
        told_wait(&one);
        assert_string_equal(one.text, "OK");
        let_go(&stage, told, 3);
        let_go(&stage, told + 4, 2);
        stage_deinit(&stage);
}

/* Without calls all connections end, and the channel is IDLE; the next call finds them again. */
static void test_idle(void **state)
{
        struct stage stage;

        (void)state;
        begin(&stage, &in_turn, &(quoit_client_limits){ .idle_ms = 100 }, NULL);
        for (unsigned i = 0; i < 2; i++) {
                stage_call_ok(&stage);
                WAIT(quoit_channel_get_state(stage.channel) == QUOIT_CHANNEL_IDLE);
                WAIT(ready_count(&stage) == 0);
        }
        stage_deinit(&stage);
}

/* ---- all fail ---- */

static void test_all_fail(void **state)
{
        static const char *const policies[] = { "round_robin", "weighted_round_robin",
                "least_request", "ring_hash" };

        (void)state;
        for (unsigned i = 0; i < sizeof(policies) / sizeof(*policies); i++) {
                const quoit_load_balancing balancing = { .policy = policies[i] };
                const quoit_call_options waits = { .wait_for_ready = QUOIT_WAIT_FOR_READY };
                struct told told = { 0 }, later = { .options = &waits };
                struct stage stage;
                char expected[100], host[20];
                uint16_t port;

                stage_init(&stage,
                        &(quoit_client_limits){ .backoff_initial_ms = 20, .backoff_max_ms = 50 });
                /* an address of this process: another one's sockets may get the ports meanwhile */
                snprintf(host, sizeof(host), "127.%d.%d.1", 1 + getpid() / 250 % 250,
                        getpid() % 250);
                for (unsigned j = 0; j < SERVERS; j++) {
                        stage_serve_at(&stage, j, host, 0, NULL);
                        port = stage.servers[j].port;
                        stage_end_server(&stage, j);
                }
                open_to(&stage, &balancing, SERVERS);
                told_call(&stage, &told);
                assert_int_equal(told.status, QUOIT_UNAVAILABLE);
                for (unsigned j = 0; j < SERVERS; j++) {
                        snprintf(expected, sizeof(expected),
                                "ipv4:%s: connect: Connection refused (ECONNREFUSED); ",
                                stage.servers[j].target);
                        assert_non_null(strstr(told.text, expected));
                }
                later.stage = &stage;
                stage_run(&stage, told_start, &later);
                usleep(30000);
                assert_int_equal(later.dones, 0);
                stage_serve_at(&stage, 2, host, port, NULL);
                told_wait(&later);
                assert_string_equal(later.text, "OK");
                stage_deinit(&stage);
        }
}

/* What has failed stays failed until it is READY: while a further attempt goes on, calls do not wait for it. */
static void test_failure_stays(void **state)
{
        static const char *const policies[] = { "round_robin", "ring_hash" };
        const quoit_client_limits limits = { .backoff_initial_ms = 20, .backoff_max_ms = 20 };
        const quoit_call_options options = { .timeout_ms = 2000 };

        (void)state;
        for (unsigned i = 0; i < 2; i++) {
                const quoit_load_balancing balancing = { .policy = policies[i] };
                const quoit_channel_options channel_options = { .load_balancing = &balancing };
                uint16_t port;
                int fd = stage_bound_socket(&port);
                struct told first = { .options = &options }, second = { .options = &options };
                struct stage stage;
                char target[64];

                snprintf(target, sizeof(target), "127.0.0.1:%u", port);
                stage_init(&stage, &limits);
                stage_open_with(&stage, target, &channel_options);
                told_call(&stage, &first);
                assert_int_equal(first.status, QUOIT_UNAVAILABLE);
                assert_int_equal(listen(fd, 5), 0); /* from now on it accepts, and says nothing */
                usleep(100000);
                told_call(&stage, &second);
                assert_int_equal(second.status, QUOIT_UNAVAILABLE);
                assert_int_equal(
                        quoit_channel_get_state(stage.channel), QUOIT_CHANNEL_TRANSIENT_FAILURE);
                stage_deinit(&stage);
                close(fd);
        }
}

/* The only server answers badly. */
static void test_ejected(void **state)
{
        static const quoit_outlier_detection outliers = { .interval_ms = 20,
                .failure_hosts_min = 1,
                .failure_calls_min = 1,
                .failure_threshold_percent = 1 };
        static const quoit_load_balancing balancing = { .policy = "round_robin",
                .outlier_detection = &outliers };
        struct stage stage;
        struct told told;

        (void)state;
        stage_init(&stage, NULL);
        stage_serve(&stage, 0, 0, NULL);
        open_to(&stage, &balancing, 1);
        do {
                told = (struct told){ .act = SCRIPT_FAIL };
                told_call(&stage, &told);
        } while (told.status == QUOIT_NOT_FOUND);
        assert_int_equal(told.status, QUOIT_UNAVAILABLE);
        assert_non_null(strstr(told.text, "ejected by outlier detection"));
        stage_deinit(&stage);
}

/* No socket can be made: every attempt has failed before the next one begins. */
static void test_no_descriptors(void **state)
{
        const quoit_channel_options options = { .load_balancing = &in_turn };
        struct rlimit before, none;
        struct told told = { 0 };
        struct stage stage;

        (void)state;
        stage_init(&stage, NULL);
        stage_open_with(&stage, "ipv4:127.0.0.1:1,127.0.0.2:1,127.0.0.3:1", &options);
        assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
        none = (struct rlimit){ 0, before.rlim_max };
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
        told_call(&stage, &told);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
        assert_int_equal(told.status, QUOIT_UNAVAILABLE);
        assert_non_null(strstr(told.text, "socket: Too many open files (EMFILE)"));
        stage_deinit(&stage);
}

/* ---- least_request ---- */

static void test_least_request(void **state)
{
        static struct told told[HELD_MAX];
        const quoit_load_balancing balancing = { .policy = "least_request", .choice_count = 10 };
        struct stage stage;

        (void)state;
        begin_ready(&stage, &balancing, NULL);
        hold(&stage, told, HELD_MAX, NULL);
        wait_started(&stage, HELD_MAX);
        for (unsigned i = 0; i < SERVERS; i++) /* by chance alone: 20 +- 4 */
                assert_in_range(started(&stage, i), 18, 22);
        let_go(&stage, told, HELD_MAX);
        stage_deinit(&stage);
}

/* ---- ring_hash ---- */

static const quoit_load_balancing by_key = { .policy = "ring_hash", .hash_header = "x-user" };

static unsigned call_of_user(struct stage *stage, unsigned user)
{
        char key[16];

        snprintf(key, sizeof(key), "user %u", user);
        return call_with_key(stage, key);
}

/* The first connection is for the first key; each key stays where it is, and all servers have some. */
static void test_ring_hash(void **state)
{
        unsigned servers[60], counts[SERVERS] = { 0 };
        struct stage stage;

        (void)state;
        begin(&stage, &by_key, NULL, NULL);
        for (unsigned i = 0; i < 60; i++) {
                servers[i] = call_of_user(&stage, i);
                counts[servers[i]]++;
                if (i == 0)
                        assert_int_equal(ready_count(&stage), 1);
        }
        for (unsigned i = 0; i < SERVERS; i++)
                assert_in_range(counts[i], 5, 40);
        for (unsigned i = 0; i < 60; i++)
                assert_int_equal(call_of_user(&stage, i), servers[i]);
        stage_deinit(&stage);
}

/* The calls of a server that is gone go to others; nobody else's do. */
static void test_ring_hash_without_one(void **state)
{
        unsigned servers[30], gone;
        struct stage stage;

        (void)state;
        begin(&stage, &by_key, NULL, NULL);
        for (unsigned i = 0; i < 30; i++)
                servers[i] = call_of_user(&stage, i);
        gone = servers[0];
        stage_end_server(&stage, gone);
        for (unsigned i = 0; i < 30; i++) {
                unsigned server = call_of_user(&stage, i);

                if (servers[i] == gone)
                        assert_int_not_equal(server, gone);
                else
                        assert_int_equal(server, servers[i]);
        }
        stage_deinit(&stage);
}

/* Metadata is a key as well; a call without either goes anywhere. */
static void test_ring_hash_by_header(void **state)
{
        const quoit_metadata metadata = { "x-user", upb_StringView_FromString("user 7") };
        const quoit_call_options options = { .metadata = &metadata, .metadata_count = 1 };
        struct stage stage;
        unsigned server;

        (void)state;
        begin(&stage, &by_key, NULL, NULL);
        server = call_of_user(&stage, 7);
        for (unsigned i = 0; i < 10; i++) {
                struct told told = { .options = &options };

                told_call(&stage, &told);
                assert_int_equal(started(&stage, server), 2 + i);
        }
        for (unsigned i = 0; i < 100; i++)
                stage_call_ok(&stage);
        for (unsigned i = 0; i < SERVERS; i++)
                assert_in_range(started(&stage, i), 1, 100);
        stage_deinit(&stage);
}

/* A server without room keeps its calls waiting, in their order, while others go on. */
static void test_ring_hash_waits(void **state)
{
        static struct told told[6];
        const quoit_call_options options = { .hash_key = upb_StringView_FromString("user 0") };
        struct stage stage;
        unsigned server, passed = 0;
        char key[16];

        (void)state;
        begin(&stage, &by_key, NULL, &(quoit_limits){ .streams_max = 2 });
        server = call_of_user(&stage, 0);
        hold(&stage, told, 6, &options);
        wait_started(&stage, 3);
        for (unsigned i = 1; passed < 5; i++) {
                struct told other = { 0 };
                const quoit_call_options short_options = { .timeout_ms = 100,
                        .hash_key = upb_StringView_FromDataAndSize(
                                key, (size_t)snprintf(key, sizeof(key), "user %u", i)) };

                other.options = &short_options;
                told_call(&stage, &other);
                passed += other.status == QUOIT_OK;
        }
        assert_int_equal(started(&stage, server), 3);
        let_go(&stage, told, 2);
        wait_started(&stage, 3 + passed + 2);
        assert_int_equal(started(&stage, server), 5);
        let_go(&stage, told + 2, 4); /* two of them have never begun */
        stage_deinit(&stage);
}

/* ---- a policy of the user's ---- */

struct custom {
        unsigned updates, picks, dones, waits;
        size_t count;
        uint64_t hash;
        const char *last;
};

static void on_update(const quoit_balancer_address *const *addresses, size_t count, void *user)
{
        struct custom *custom = user;

        custom->updates++;
        custom->count = count;
        for (size_t i = 0; i < count; i++)
                assert_memory_equal(
                        quoit_balancer_address_text(addresses[i]), "ipv4:127.0.0.1:", 15);
}

/* Always the last one, after it has let each call wait once. */
static int pick(const quoit_balancer_call *call, const quoit_balancer_address *const *addresses,
        size_t count, void *user)
{
        struct custom *custom = user;

        assert_true(count > 0 && count <= SERVERS);
        assert_true(quoit_balancer_address_has_room(addresses[0]));
        assert_string_equal(call->method->path, script_method(QUOIT_UNARY)->path);
        custom->hash = call->has_hash ? call->hash : 0;
        if (custom->waits < 3) {
                custom->waits++;
                return custom->waits == 1 ? QUOIT_BALANCER_WAIT
                                          : 1000; /* no such one is the same */
        }
        custom->picks++;
        custom->last = quoit_balancer_address_text(addresses[count - 1]);
        assert_int_equal(quoit_balancer_address_calls(addresses[count - 1]), 0);
        return (int)count - 1;
}

static void on_custom_done(const quoit_balancer_address *address, quoit_status status, void *user)
{
        struct custom *custom = user;

        assert_string_equal(quoit_balancer_address_text(address), custom->last);
        assert_int_equal(quoit_balancer_address_calls(address), 0);
        assert_int_equal(status, QUOIT_OK);
        custom->dones++;
}

static const quoit_balancer last_one = {
        .on_update = on_update, .pick = pick, .on_done = on_custom_done
};

static void test_custom(void **state)
{
        struct custom custom = { 0 };
        const quoit_load_balancing balancing = { .balancer = &last_one, .user = &custom };
        struct stage stage;

        (void)state;
        begin_ready(&stage, &balancing, NULL);
        for (unsigned i = 0; i < 3; i++) { /* these wait until something changes: each other */
                struct told told = { .stage = &stage };
                const quoit_call_options options = { .timeout_ms = 30 };

                told.options = &options;
                told_call(&stage, &told);
                assert_int_equal(told.status, QUOIT_DEADLINE_EXCEEDED);
        }
        for (unsigned i = 0; i < 10; i++)
                assert_int_equal(call_with_key(&stage, "abc"), 2);
        assert_true(custom.hash == 0x44bc2cf5ad770999);
        assert_int_equal(custom.picks, 10);
        assert_int_equal(custom.dones, 10);
        assert_int_equal(custom.count, SERVERS);
        assert_true(custom.updates >= SERVERS);
        stage_deinit(&stage);
        assert_int_equal(custom.count, 0);
}

/* Nobody asks the channel to connect: a call does. */
static void test_custom_from_idle(void **state)
{
        struct custom custom = { .waits = 3 };
        const quoit_load_balancing balancing = { .balancer = &last_one, .user = &custom };
        struct stage stage;

        (void)state;
        begin(&stage, &balancing, NULL, NULL);
        stage_call_ok(&stage);
        WAIT(ready_count(&stage) == SERVERS);
        stage_deinit(&stage);
}

/* ---- by the service config ---- */

/* By the config unless the program says something else. */
static void test_by_config(void **state)
{
        static const char json[] = "{\"loadBalancingConfig\": [{\"round_robin\": {}}]}";
        const quoit_load_balancing other = { .policy = "pick_first" };

        (void)state;
        for (unsigned i = 0; i < 2; i++) {
                const quoit_channel_options options = { .service_config = json,
                        .load_balancing = i == 0 ? NULL : &other };
                struct stage stage;
                char target[80];

                stage_init(&stage, NULL);
                stage_serve(&stage, 0, 0, NULL);
                stage_serve(&stage, 1, 0, NULL);
                snprintf(target, sizeof(target), "ipv4:%s,%s", stage.servers[0].target,
                        stage.servers[1].target);
                stage_open_with(&stage, target, &options);
                assert_int_equal(quoit_channel_connect(stage.channel), 0);
                WAIT(ready_count(&stage) == (i == 0 ? 2 : 1));
                for (unsigned j = 0; j < 10; j++)
                        stage_call_ok(&stage);
                assert_int_equal(started(&stage, 0), i == 0 ? 5 : 10);
                stage_deinit(&stage);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_round_robin),
                cmocka_unit_test(test_round_robin_from_idle),
                cmocka_unit_test(test_server_goes_and_comes),
                cmocka_unit_test(test_short_lives),
                cmocka_unit_test(test_room),
                cmocka_unit_test(test_idle),
                cmocka_unit_test(test_all_fail),
                cmocka_unit_test(test_failure_stays),
                cmocka_unit_test(test_ejected),
                cmocka_unit_test(test_no_descriptors),
                cmocka_unit_test(test_least_request),
                cmocka_unit_test(test_ring_hash),
                cmocka_unit_test(test_ring_hash_without_one),
                cmocka_unit_test(test_ring_hash_by_header),
                cmocka_unit_test(test_ring_hash_waits),
                cmocka_unit_test(test_custom),
                cmocka_unit_test(test_custom_from_idle),
                cmocka_unit_test(test_by_config),
        };

        return RUN_ON_BOTH_ENGINES("client/balancing", tests);
}
