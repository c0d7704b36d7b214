/* SPDX-License-Identifier: MIT */

/* How many connections there are to an address, and which has a call. */

#include "stage.h"

#include <errno.h>
#include <stdio.h>

#include "client/channel.h"
#include "client/client_connection.h"
#include "client/handle.h"
#include "client/outcall.h"
#include "client/scaling.h"

#define STREAMS 2 /* of a connection */
#define HELD_MAX 30

static const quoit_limits two_streams = { .streams_max = STREAMS };

/* ---- what there is ---- */

struct look {
        struct stage *stage;
        unsigned count; /* connections, and ... */
        unsigned calls[QUOIT_CHANNEL_CONNECTIONS_MAX]; /* ... calls on each, the oldest first */
        bool pauses; /* an attempt for one more has failed */
};

static struct channel *part(const struct stage *stage)
{
        return stage->channel->parts[0];
}

static void look(void *arg)
{
        struct look *seen = arg;
        const struct subchannel *subchannel = part(seen->stage)->subchannels[0];
        const struct list *link = &subchannel->connections;

        seen->count = 0;
        while ((link = link->next) != &subchannel->connections)
                seen->calls[seen->count++] = CONTAINER_OF(link, struct client_connection, sibling)
                                                     ->connection.group.count;
        seen->pauses = timer_is_running(&subchannel->retry);
        assert_int_equal(seen->count, subchannel->count);
}

static struct look seen_now(struct stage *stage)
{
        struct look seen = { .stage = stage };

        stage_run(stage, look, &seen);
        return seen;
}

static unsigned connections(struct stage *stage)
{
        return seen_now(stage).count;
}

static unsigned calls_on(struct stage *stage, unsigned index)
{
        const struct look seen = seen_now(stage);

        return index < seen.count ? seen.calls[index] : 0;
}

static uint64_t waiting(const struct stage *stage)
{
        quoit_queue_statistics queue;

        quoit_channel_get_queue(stage->channel, &queue);
        return queue.waiting;
}

static uint64_t refused(const struct stage *stage)
{
        quoit_queue_statistics queue;

        quoit_channel_get_queue(stage->channel, &queue);
        return queue.refused;
}

/* ---- what is done ---- */

static void begin(struct stage *stage, const quoit_channel_options *options,
        const quoit_client_limits *limits, const quoit_limits *server_limits)
{
        stage_init(stage, limits);
        stage_serve(stage, 0, 0, server_limits);
        stage_open_with(stage, stage->servers[0].target, options);
}

/* So many calls more, of which @told has those before too. */
static void hold(struct stage *stage, struct told *told, unsigned from, unsigned count)
{
        for (unsigned i = from; i < from + count; i++) {
                told[i] = (struct told){ .stage = stage, .act = SCRIPT_HOLD };
                stage_run(stage, told_start, told + i);
        }
}

static void let_go(struct stage *stage, struct told *told, unsigned from, unsigned count)
{
        for (unsigned i = from; i < from + count; i++) {
                stage_run(stage, told_cancel, told + i);
                told_wait(told + i);
        }
}

static void close_oldest(void *arg)
{
        connection_close(&subchannel_oldest(part(arg)->subchannels[0])->connection);
}

/* ---- growth ---- */

static void test_growth(void **state)
{
        static struct told told[HELD_MAX];
        const quoit_channel_options options = { .connections_max = 3 };
        struct stage stage;

        (void)state;
        begin(&stage, &options, NULL, &two_streams);
        for (unsigned i = 0; i < 3 * STREAMS; i++) {
                hold(&stage, told, i, 1);
                WAIT(stage_started(&stage, 0) == i + 1);
                assert_int_equal(connections(&stage), i / STREAMS + 1); /* none too early */
                assert_int_equal(calls_on(&stage, i / STREAMS), i % STREAMS + 1);
        }
        hold(&stage, told, 3 * STREAMS, 2);
        usleep(20000);
        assert_int_equal(connections(&stage), 3);
        assert_int_equal(stage_started(&stage, 0), 3 * STREAMS);
        assert_int_equal(waiting(&stage), 2);
        /* room on the newest: the first that waits has it */
        let_go(&stage, told, 3 * STREAMS - 1, 1);
        WAIT(stage_started(&stage, 0) == 3 * STREAMS + 1);
        assert_int_equal(waiting(&stage), 1);
        assert_int_equal(told[3 * STREAMS + 1].dones, 0);
        let_go(&stage, told, 3 * STREAMS, 1);
        WAIT(stage_started(&stage, 0) == 3 * STREAMS + 2);
        assert_int_equal(refused(&stage), 0);
        let_go(&stage, told, 0, 3 * STREAMS - 1);
        let_go(&stage, told, 3 * STREAMS + 1, 1);
        stage_deinit(&stage);
}

static void test_oldest_first(void **state)
{
        static struct told told[HELD_MAX];
        const quoit_channel_options options = { .connections_max = 3 };
        struct stage stage;

        (void)state;
        begin(&stage, &options, NULL, &two_streams);
        hold(&stage, told, 0, 3 * STREAMS);
        WAIT(stage_started(&stage, 0) == 3 * STREAMS);
        let_go(&stage, told, 0, 1); /* on the first */
        let_go(&stage, told, 2, 3); /* on the second both, on the third one */
        WAIT(calls_on(&stage, 0) == 1 && calls_on(&stage, 1) == 0 && calls_on(&stage, 2) == 1);
        hold(&stage, told, 10, 1);
        WAIT(calls_on(&stage, 0) == 2);
        hold(&stage, told, 11, 2);
        WAIT(calls_on(&stage, 1) == 2);
        assert_int_equal(calls_on(&stage, 2), 1);
        assert_int_equal(connections(&stage), 3);
        let_go(&stage, told, 1, 1);
        let_go(&stage, told, 5, 1);
        let_go(&stage, told, 10, 3);
        stage_deinit(&stage);
}

/* One is the default. */
static void test_one(void **state)
{
        static struct told told[HELD_MAX];
        struct stage stage;

        (void)state;
        begin(&stage, NULL, NULL, &two_streams);
        hold(&stage, told, 0, 10);
        WAIT(stage_started(&stage, 0) == STREAMS);
        usleep(20000);
        assert_int_equal(connections(&stage), 1);
        assert_int_equal(waiting(&stage), 8);
        let_go(&stage, told, 0, 10);
        stage_deinit(&stage);
}

static void assert_max(struct stage *stage, unsigned said, const char *config, unsigned wanted)
{
        const quoit_channel_options options = { .connections_max = said, .service_config = config };

        stage_open_with(stage, "127.0.0.1:1", &options);
        assert_int_equal(scaling_max(part(stage)), wanted);
        stage->channel = quoit_channel_free(stage->channel);
}

static void test_most(void **state)
{
        static const char four[] = "{\"connectionScaling\": {\"maxConnectionsPerSubchannel\": 4}}",
                          many[] = "{\"connectionScaling\": {\"maxConnectionsPerSubchannel\": 99}}",
                          none[] = "{\"connectionScaling\": {\"maxConnectionsPerSubchannel\": 0}}";
        const quoit_channel_options too_many = { .connections_max =
                                                         QUOIT_CHANNEL_CONNECTIONS_MAX + 1 };
        quoit_channel *channel;
        struct stage stage;

        (void)state;
        stage_init(&stage, NULL);
        assert_int_equal(
                quoit_channel_new(stage.client, "127.0.0.1:1", &too_many, &channel), -EINVAL);
        assert_max(&stage, 0, NULL, 1);
        assert_max(&stage, 10, NULL, 10);
        assert_max(&stage, 0, four, 4);
        assert_max(&stage, 2, four, 2); /* what the program says goes before that */
        assert_max(&stage, 0, many, QUOIT_CHANNEL_CONNECTIONS_MAX);
        assert_max(&stage, 0, none, 1);
        stage_deinit(&stage);
}

/* A call that waits at one address has one more connection begun there, and nowhere else. */
static void test_by_key(void **state)
{
        static struct told told[HELD_MAX];
        const quoit_load_balancing balancing = { .policy = "ring_hash" };
        const quoit_channel_options options = { .load_balancing = &balancing,
                .connections_max = 2 };
        const quoit_call_options call_options = { .hash_key = upb_StringView_FromString("a key") };
        struct stage stage;

        (void)state;
        begin(&stage, &options, NULL, &two_streams);
        for (unsigned i = 0; i < 2 * STREAMS + 2; i++) {
                told[i] = (struct told){
                        .stage = &stage, .act = SCRIPT_HOLD, .options = &call_options
                };
                stage_run(&stage, told_start, told + i);
        }
        WAIT(stage_started(&stage, 0) == 2 * STREAMS);
        assert_int_equal(connections(&stage), 2);
        assert_int_equal(waiting(&stage), 2);
        let_go(&stage, told, 0, 2 * STREAMS + 2);
        stage_deinit(&stage);
}

/* ---- and back ---- */

static void test_spare(void **state)
{
        static struct told told[HELD_MAX];
        const quoit_client_limits limits = { .connection_spare_ms = 50 };
        const quoit_channel_options options = { .connections_max = 4 };
        struct stage stage;

        (void)state;
        begin(&stage, &options, &limits, &two_streams);
        hold(&stage, told, 0, 4 * STREAMS);
        WAIT(stage_started(&stage, 0) == 4 * STREAMS);
        usleep(100000);
        assert_int_equal(connections(&stage), 4); /* with calls they stay */
        let_go(&stage, told, STREAMS, STREAMS); /* the second's */
        WAIT(connections(&stage) == 3);
        assert_int_equal(calls_on(&stage, 0), STREAMS);
        let_go(&stage, told, 2 * STREAMS, 2 * STREAMS);
        WAIT(connections(&stage) == 1);
        let_go(&stage, told, 0, STREAMS);
        usleep(100000);
        assert_int_equal(connections(&stage), 1); /* the oldest stays */
        assert_int_equal(quoit_channel_get_state(stage.channel), QUOIT_CHANNEL_READY);
        stage_deinit(&stage);
}

static unsigned changes; /* of the channel's state, on the client's thread */

static void on_state(quoit_channel *channel, quoit_channel_state state, void *user)
{
        (void)channel;
        (void)state;
        (void)user;
        changes++;
}

static void watch(void *arg)
{
        changes = 0;
        assert_int_equal(quoit_channel_watch(arg, on_state, NULL), 0);
}

/* While there is another one the channel is READY, and the others' calls go on. */
static void test_oldest_lost(void **state)
{
        static struct told told[HELD_MAX];
        const quoit_channel_options options = { .connections_max = 2 };
        struct stage stage;

        (void)state;
        begin(&stage, &options, NULL, &two_streams);
        hold(&stage, told, 0, 2 * STREAMS);
        WAIT(stage_started(&stage, 0) == 2 * STREAMS);
        stage_run(&stage, watch, stage.channel);
        stage_run(&stage, close_oldest, &stage);
        for (unsigned i = 0; i < STREAMS; i++) {
                told_wait(told + i);
                assert_int_equal(told[i].status, QUOIT_UNAVAILABLE);
        }
        WAIT(connections(&stage) == 1);
        assert_int_equal(changes, 0);
        assert_int_equal(told[STREAMS].dones, 0);
        hold(&stage, told, 10, 1); /* there is room for a second one again */
        WAIT(stage_started(&stage, 0) == 2 * STREAMS + 1);
        assert_int_equal(connections(&stage), 2);
        assert_int_equal(changes, 0);
        let_go(&stage, told, STREAMS, STREAMS);
        let_go(&stage, told, 10, 1);
        stage_run(&stage, close_oldest, &stage);
        WAIT(connections(&stage) == 1);
        stage_run(&stage, close_oldest, &stage); /* the last one */
        WAIT(quoit_channel_get_state(stage.channel) == QUOIT_CHANNEL_IDLE);
        stage_call_ok(&stage);
        assert_int_equal(connections(&stage), 1);
        stage_deinit(&stage);
}

/* The server allows fewer connections than we: those that there are serve on, and the attempts have their pauses. */
static void test_no_more(void **state)
{
        static struct told told[HELD_MAX];
        const quoit_channel_options options = { .connections_max = 3 };
        const quoit_client_limits limits = { .backoff_initial_ms = 20, .backoff_max_ms = 20 };
        const quoit_limits server_limits = { .streams_max = STREAMS,
                .connections_per_address_max = 2 };
        struct stage stage;

        (void)state;
        begin(&stage, &options, &limits, &server_limits);
        hold(&stage, told, 0, 2 * STREAMS + 1);
        WAIT(stage_started(&stage, 0) == 2 * STREAMS);
        WAIT(seen_now(&stage).pauses);
        assert_int_equal(connections(&stage), 2);
        assert_int_equal(quoit_channel_get_state(stage.channel), QUOIT_CHANNEL_READY);
        assert_int_equal(told[2 * STREAMS].dones, 0);
        let_go(&stage, told, 0, 1);
        WAIT(stage_started(&stage, 0) == 2 * STREAMS + 1);
        let_go(&stage, told, 1, 2 * STREAMS);
        stage_deinit(&stage);
}

/* Where the last one is lost within the pause of an attempt for one more, this pause holds. */
static void test_last_lost_in_pause(void **state)
{
        static struct told told[HELD_MAX];
        const quoit_channel_options options = { .connections_max = 2 };
        const quoit_client_limits limits = { .backoff_initial_ms = 3000, .backoff_max_ms = 3000 };
        const quoit_limits server_limits = { .streams_max = STREAMS,
                .connections_per_address_max = 1 };
        struct told next = { 0 };
        struct stage stage;

        (void)state;
        begin(&stage, &options, &limits, &server_limits);
        hold(&stage, told, 0, STREAMS + 1);
        WAIT(seen_now(&stage).pauses);
        let_go(&stage, told, STREAMS, 1);
        stage_run(&stage, close_oldest, &stage);
        for (unsigned i = 0; i < STREAMS; i++)
                told_wait(told + i);
        WAIT(connections(&stage) == 0);
        told_call(&stage, &next);
        assert_int_equal(next.status, QUOIT_UNAVAILABLE);
        assert_non_null(strstr(next.text, "the next attempt is in "));
        stage_deinit(&stage);
}

/* The channel ends, and its address is lost, amid an attempt for one more. */
static void test_freed_amid_attempt(void **state)
{
        static struct told told[HELD_MAX];
        const quoit_channel_options options = { .connections_max = 10 };
        struct stage stage;

        (void)state;
        for (unsigned i = 0; i < 20; i++) {
                begin(&stage, &options, NULL, &two_streams);
                hold(&stage, told, 0, HELD_MAX);
                WAIT(stage_started(&stage, 0) >= i);
                stage.channel = quoit_channel_free(stage.channel);
                for (unsigned j = 0; j < HELD_MAX; j++) {
                        told_wait(told + j);
                        assert_int_equal(told[j].status, QUOIT_CANCELLED);
                }
                stage_deinit(&stage);
        }
}

/* ---- fails_when_full ---- */

static void assert_refused(struct told *told, unsigned count)
{
        for (unsigned i = 0; i < count; i++) {
                told_wait(told + i);
                assert_string_equal(told[i].text,
                        "RESOURCE_EXHAUSTED: all connections have as many calls as they can "
                        "(fails_when_full)");
        }
}

/* As long as there can be one more connection they wait for that. */
static void fail_when_full(const char *policy)
{
        static struct told told[HELD_MAX];
        const quoit_load_balancing balancing = { .policy = policy };
        const quoit_channel_options options = {
                .connections_max = 2, .fails_when_full = true, .load_balancing = &balancing
        };
        struct stage stage;

        begin(&stage, &options, NULL, &two_streams);
        hold(&stage, told, 0, HELD_MAX);
        WAIT(stage_started(&stage, 0) == 2 * STREAMS);
        assert_refused(told + 2 * STREAMS, HELD_MAX - 2 * STREAMS);
        assert_int_equal(waiting(&stage), 0);
        assert_int_equal(refused(&stage), HELD_MAX - 2 * STREAMS);
        let_go(&stage, told, 0, 1);
        WAIT(calls_on(&stage, 0) == 1);
        hold(&stage, told, 0, 1);
        WAIT(stage_started(&stage, 0) == 2 * STREAMS + 1);
        let_go(&stage, told, 0, 2 * STREAMS);
        stage_deinit(&stage);
}

static void test_fail_when_full(void **state)
{
        (void)state;
        fail_when_full("pick_first");
        fail_when_full("round_robin");
        fail_when_full("ring_hash");
}

/* One more cannot be had: those that have waited for it do not wait for the pause. */
static void test_fail_when_no_more(void **state)
{
        static const char *const policies[] = { "pick_first", "ring_hash" };
        static struct told told[HELD_MAX];
        const quoit_client_limits limits = { .backoff_initial_ms = 60000 };
        const quoit_limits server_limits = { .streams_max = STREAMS,
                .connections_per_address_max = 1 };
        struct stage stage;

        (void)state;
        for (unsigned i = 0; i < 2; i++) {
                const quoit_load_balancing balancing = { .policy = policies[i] };
                const quoit_channel_options options = {
                        .connections_max = 2, .fails_when_full = true, .load_balancing = &balancing
                };

                begin(&stage, &options, &limits, &server_limits);
                hold(&stage, told, 0, HELD_MAX);
                WAIT(stage_started(&stage, 0) == STREAMS);
                assert_refused(told + STREAMS, HELD_MAX - STREAMS);
                let_go(&stage, told, 0, STREAMS);
                stage_deinit(&stage);
        }
}

/* The queue's own limit is counted too. */
static void test_queue_limit(void **state)
{
        static struct told told[HELD_MAX];
        const quoit_client_limits limits = { .calls_queued_max = 3 };
        struct stage stage;

        (void)state;
        begin(&stage, NULL, &limits, &two_streams);
        hold(&stage, told, 0, STREAMS);
        WAIT(stage_started(&stage, 0) == STREAMS);
        hold(&stage, told, STREAMS, 4);
        told_wait(told + STREAMS + 3);
        assert_string_equal(told[STREAMS + 3].text,
                "RESOURCE_EXHAUSTED: too many calls wait on the channel (calls_queued_max)");
        assert_int_equal(waiting(&stage), 3);
        assert_int_equal(refused(&stage), 1);
        let_go(&stage, told, 0, STREAMS + 3);
        assert_int_equal(waiting(&stage), 0);
        stage_deinit(&stage);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_growth),
                cmocka_unit_test(test_oldest_first),
                cmocka_unit_test(test_one),
                cmocka_unit_test(test_most),
                cmocka_unit_test(test_by_key),
                cmocka_unit_test(test_spare),
                cmocka_unit_test(test_oldest_lost),
                cmocka_unit_test(test_no_more),
                cmocka_unit_test(test_last_lost_in_pause),
                cmocka_unit_test(test_freed_amid_attempt),
                cmocka_unit_test(test_fail_when_full),
                cmocka_unit_test(test_fail_when_no_more),
                cmocka_unit_test(test_queue_limit),
        };

        return RUN_ON_BOTH_ENGINES("client/scaling", tests);
}
