/* SPDX-License-Identifier: MIT */
#include "scenarios.h"

#include <string.h>
#include <unistd.h>

#include <quoit/channelz.h>
#include <quoit/client_interceptor.h>
#include <quoit/credentials.h>
#include <quoit/interceptor.h>
#include <quoit/load_reports.h>
#include <quoit/reflection.h>

#include "../fibers.h"
#include "../names.h"
#include "calls.h"
#include "core/clock.h"

/* ---- the beginning ---- */

/*
 * Each once, though it may be called again. Reflection is not tried again: it is two services, and that one of them was registered
 * only the end of the server takes back.
 */
static int register_more(struct stage_server *own)
{
        static const quoit_interceptor nothing;
        quoit_load_reports *reports;
        int r = 0;

        while (r == 0 && own->registered < 4) {
                switch (own->registered) {
                case 0:
                        r = quoit_server_intercept(own->server, &nothing, NULL);
                        break;
                case 1:
                        r = quoit_reflection_register(own->server, NULL, 0);
                        own->registered += r < 0;
                        break;
                case 2:
                        r = quoit_channelz_register(own->server);
                        break;
                default:
                        r = quoit_load_reports_register(own->server, NULL, &reports);
                }
                own->registered += r == 0;
        }
        return r;
}

static bool is_ready(const void *user)
{
        quoit_channel_state state = quoit_channel_get_state(user);

        return state == QUOIT_CHANNEL_READY ||
               (plan_has_fired() && state == QUOIT_CHANNEL_TRANSIENT_FAILURE);
}

static void on_state(quoit_channel *channel, quoit_channel_state state, void *user)
{
        (void)channel;
        (void)state;
        (void)user;
}

static void connect_channel(struct stage *stage)
{
        (void)STAGE_TRY(quoit_channel_watch(stage->channel, on_state, NULL));
        if (STAGE_TRY(quoit_channel_connect(stage->channel)))
                stage_wait_until(stage, is_ready, stage->channel);
}

/* The second connection resumes the first one's session. */
static void call_twice_by_tls(struct stage *stage)
{
        for (unsigned i = 0; i < 2; i++) {
                struct sweep_call call = call_of(QUOIT_UNARY, 100);

                (void)call_make(stage, &call);
                stage_wait(stage, 200 * NS_PER_MS); /* its connection is closed: `idle_ms` */
        }
}

/* ---- calls ---- */

static void call_kind(struct stage *stage, quoit_method_kind kind)
{
        struct sweep_call small = call_of(kind, 10), large = call_of(kind, 20000);

        (void)call_make(stage, &small);
        (void)call_make(stage, &large);
}

static void call_unary(struct stage *stage)
{
        call_kind(stage, QUOIT_UNARY);
}

static void call_server_stream(struct stage *stage)
{
        call_kind(stage, QUOIT_SERVER_STREAMING);
}

static void call_client_stream(struct stage *stage)
{
        call_kind(stage, QUOIT_CLIENT_STREAMING);
}

static void call_bidi(struct stage *stage)
{
        call_kind(stage, QUOIT_BIDI);
}

/* All kinds, one beside the other. */
static void call_all_kinds(struct stage *stage)
{
        struct sweep_call calls[4];

        for (unsigned i = 0; i < 4; i++) {
                calls[i] = call_of((quoit_method_kind)i, 2000);
                call_begin(stage, calls + i);
        }
        for (unsigned i = 0; i < 4; i++)
                call_wait(stage, calls + i);
}

static void call_compressed(struct stage *stage)
{
        static const quoit_compression algorithms[] = { QUOIT_GZIP, QUOIT_DEFLATE, QUOIT_ZSTD };

        for (unsigned i = 0; i < sizeof(algorithms) / sizeof(*algorithms); i++) {
                struct sweep_call unary = call_of(QUOIT_UNARY, 3000);
                struct sweep_call chat = call_of(QUOIT_BIDI, 3000);

                unary.options.compression = chat.options.compression = algorithms[i];
                (void)call_make(stage, &unary);
                (void)call_make(stage, &chat);
        }
}

static void call_blocking(struct stage *stage)
{
        for (unsigned i = 0; i < 4; i++) {
                struct sweep_call call = call_of((quoit_method_kind)i, 2000);

                call_make_blocking(stage, &call);
        }
}

static void call_again(struct stage *stage)
{
        struct sweep_call call = call_of(QUOIT_UNARY, 1000);
        struct sweep_call stream = call_of(QUOIT_SERVER_STREAMING, 1000);

        call.act = stream.act = ACT_AGAIN;
        call.count = stream.count = 2;
        call_begin(stage, &call);
        call_begin(stage, &stream);
        call_wait(stage, &call);
        call_wait(stage, &stream);
}

static void call_hedged(struct stage *stage)
{
        struct sweep_call call = call_of(QUOIT_UNARY, 1000);

        call.act = ACT_LATER;
        call.count = 200;
        (void)call_make(stage, &call);
}

static void call_plainly(struct stage *stage)
{
        struct sweep_call call = call_of(QUOIT_UNARY, 1000);

        (void)call_make(stage, &call);
}

static void call_back(struct stage *stage)
{
        struct sweep_call call = call_of(QUOIT_UNARY, 1000);

        call.act = ACT_CALL;
        (void)call_make(stage, &call);
}

static void end_early(struct stage *stage)
{
        struct sweep_call cancelled = call_of(QUOIT_UNARY, 10), late = cancelled;

        cancelled.act = late.act = ACT_LATER;
        cancelled.count = late.count = 1000;
        cancelled.ends_with = QUOIT_CANCELLED;
        late.ends_with = QUOIT_DEADLINE_EXCEEDED;
        late.options.timeout_ms = 100;
        call_begin(stage, &cancelled);
        call_begin(stage, &late);
        stage_wait(stage, 50 * NS_PER_MS);
        if (!cancelled.is_done)
                quoit_outcall_cancel(cancelled.call);
        call_wait(stage, &cancelled);
        call_wait(stage, &late);
}

/* ---- credentials ---- */

static bool has_request(const void *user)
{
        const struct sweep_call *call = user;

        return call->is_done || call->request;
}

static void on_request(quoit_credentials_request *request, void *user)
{
        ((struct sweep_call *)user)->request = request;
}

/* A token of the channel's owner, and what a plugin answers later. */
static void call_with_credentials(struct stage *stage)
{
        static const quoit_credentials_plugin plugin = { .on_request = on_request };
        const quoit_metadata field = { "x-swept", upb_StringView_FromString("1") };
        struct sweep_call call = call_of(QUOIT_UNARY, 10), second = call;

        if (STAGE_TRY(quoit_call_credentials_new_bearer("token", &call.options.credentials))) {
                (void)call_make(stage, &call);
                quoit_call_credentials_free(call.options.credentials);
        }
        if (!STAGE_TRY(quoit_call_credentials_new(&plugin, &second, &second.options.credentials)))
                return;
        call_begin(stage, &second);
        while (!second.is_done) { /* each attempt asks */
                stage_wait_until(stage, has_request, &second);
                if (second.request)
                        quoit_credentials_request_answer(second.request, &field, 1);
                second.request = NULL;
        }
        quoit_call_credentials_free(second.options.credentials);
}

/* ---- interceptors ---- */

static const char key;

static void on_outcall(quoit_outcall *call, void *user)
{
        const quoit_metadata field = { "x-swept", upb_StringView_FromString("1") };

        (void)user;
        if (quoit_outcall_attach(call, &key, call) < 0 ||
                quoit_outcall_add_metadata(call, &field) < 0)
                quoit_outcall_finish(call, QUOIT_RESOURCE_EXHAUSTED, "out of memory");
}

static void on_call(quoit_call *call, void *user)
{
        (void)user;
        if (quoit_call_attach(call, &key, call) < 0 ||
                quoit_call_add_header(call, "x-swept", upb_StringView_FromString("1")) < 0 ||
                quoit_call_add_trailer(call, "x-swept-too", upb_StringView_FromString("1")) < 0)
                quoit_call_finish(call, QUOIT_RESOURCE_EXHAUSTED, "out of memory");
}

static int intercept(struct stage_server *own)
{
        static const quoit_interceptor interceptor = { .on_start = on_call };

        return quoit_server_intercept(own->server, &interceptor, NULL);
}

static void call_intercepted(struct stage *stage)
{
        static const quoit_client_interceptor interceptor = { .on_start = on_outcall };

        if (STAGE_TRY(quoit_channel_intercept(stage->channel, &interceptor, NULL)))
                call_all_kinds(stage);
}

/* ---- what happens to servers ---- */

/* As a thread of the server's would. */
static bool serves(const struct stage *stage, unsigned index)
{
        return stage->servers[index].serves && !stage->servers[index].has_ended;
}

static int register_health(struct stage_server *own)
{
        int r = own->health ? 0 : quoit_health_register(own->server, &own->health);

        return r < 0 ? r : quoit_health_set(own->health, "script.Script", QUOIT_HEALTH_SERVING);
}

static void set_health(struct stage *stage, quoit_health_status status)
{
        if (!serves(stage, 0))
                return;
        fiber_set_side(SIDE_SERVER);
        (void)STAGE_TRY(quoit_health_set(stage->servers->health, "script.Script", status));
        fiber_set_side(SIDE_CLIENT);
        stage_wait(stage, 50 * NS_PER_MS);
}

static void watch_health(struct stage *stage)
{
        struct sweep_call first = call_of(QUOIT_UNARY, 10), second = first;

        (void)call_make(stage, &first);
        set_health(stage, QUOIT_HEALTH_NOT_SERVING);
        if (serves(stage, 0))
                second.options.wait_for_ready = QUOIT_WAIT_FOR_READY;
        call_begin(stage, &second);
        set_health(stage, QUOIT_HEALTH_SERVING);
        call_wait(stage, &second);
}

static void reload(struct stage *stage)
{
        struct sweep_call first = call_of(QUOIT_UNARY, 10), second = first;

        (void)call_make(stage, &first);
        fiber_set_side(SIDE_SERVER);
        if (serves(stage, 0))
                (void)STAGE_TRY(quoit_tls_reload(stage->servers->tls));
        fiber_set_side(SIDE_CLIENT);
        (void)STAGE_TRY(quoit_channel_reload_tls(stage->channel, NULL));
        stage_wait(stage, 200 * NS_PER_MS); /* its connection is closed: `idle_ms` */
        (void)call_make(stage, &second);
}

static void drain_first(struct stage *stage)
{
        fiber_set_side(SIDE_SERVER);
        if (serves(stage, 0))
                quoit_server_drain(stage->servers->server, 1000);
        fiber_set_side(SIDE_CLIENT);
}

static bool has_first_ended(const void *user)
{
        return ((const struct stage *)user)->servers->has_ended;
}

static void drain(struct stage *stage)
{
        struct sweep_call call = call_of(QUOIT_UNARY, 10);
        bool was_there = serves(stage, 0);

        call.act = ACT_LATER;
        call.count = 200;
        call_begin(stage, &call);
        stage_wait(stage, 50 * NS_PER_MS);
        drain_first(stage);
        call_wait(stage, &call);
        if (was_there)
                stage_wait_until(stage, has_first_ended, stage);
}

static bool has_second_decided(const void *user)
{
        const struct stage_server *second = ((const struct stage *)user)->servers + 1;

        return second->serves || second->has_ended;
}

/* Its successor serves before it stops. */
static void restart(struct stage *stage)
{
        struct sweep_call first = call_of(QUOIT_UNARY, 10), second = first;

        first.act = ACT_LATER;
        first.count = 200;
        call_begin(stage, &first);
        stage_wait(stage, 50 * NS_PER_MS);
        stage_begin_server(stage, 1);
        stage_wait_until(stage, has_second_decided, stage);
        if (serves(stage, 1))
                drain_first(stage);
        stage_wait(stage, 50 * NS_PER_MS);
        (void)call_make(stage, &second);
        call_wait(stage, &first);
}

/* ---- other protocols ---- */

#define CONNECT_JSON                                                                               \
        "POST /script.Script/Unary HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"      \
        "Connect-Protocol-Version: 1\r\nContent-Length: 12\r\n\r\n{\"size\":100}"
#define GRPC_WEB                                                                                   \
        "POST /script.Script/ServerStream HTTP/1.1\r\nHost: a\r\n"                                 \
        "Content-Type: application/grpc-web+proto\r\nContent-Length: 9\r\n\r\n"                    \
        "\0\0\0\0\4\x10\3\x18\x64"

/* By HTTP/1.1. True: 200. It waits for a second, or until the connection has ended. */
static bool fetch(struct stage *stage, const char *request, size_t size)
{
        struct sim_conn *conn;
        char answer[4096];
        size_t got = 0;

        if (!serves(stage, 0))
                return false;
        conn = sim_connect(quoit_server_listener_fd(stage->servers->server, 0));
        if (sim_peer_write(conn, request, size) != size)
                sim_fail("a request is too long");
        for (unsigned i = 0; i < 100 && conn->reset == 0 && !conn->down.ended; i++) {
                stage_wait(stage, 10 * NS_PER_MS);
                got += sim_peer_read(conn, answer + got, sizeof(answer) - got);
        }
        sim_peer_end(conn);
        return got >= 12 && memcmp(answer, "HTTP/1.1 200", 12) == 0;
}

static void fetch_all(struct stage *stage)
{
        bool ok;

        fiber_set_side(SIDE_NONE);
        ok = fetch(stage, CONNECT_JSON, sizeof(CONNECT_JSON) - 1) &&
             fetch(stage, GRPC_WEB, sizeof(GRPC_WEB) - 1);
        if (!ok && !plan_has_fired())
                sim_fail("a request by HTTP/1.1 has failed, and nothing was to fail");
        if (!ok && !plan_now()->goes_on && serves(stage, 0) &&
                !fetch(stage, CONNECT_JSON, sizeof(CONNECT_JSON) - 1))
                sim_fail("a request by HTTP/1.1 fails after what was to fail has failed");
        fiber_set_side(SIDE_CLIENT);
}

/* ---- the table ---- */

#define ON_SERVER .sides = { [SIDE_SERVER] = true }
#define ON_CLIENT .sides = { [SIDE_CLIENT] = true }
#define ON_BOTH .sides = { [SIDE_SERVER] = true, [SIDE_CLIENT] = true }

#define TRIED_AGAIN(policy)                                                                        \
        "{\"methodConfig\":[{\"name\":[{\"service\":\"script.Script\"}]," policy "}]}"

const struct scenario scenarios[] = {
        { .name = "start",
                ON_SERVER,
                .server = { .rings = 2, .workers = 2 },
                .methods = &(const quoit_method_options){ .offload = true },
                .prepare = register_more,
                .has_no_client = true },
        { .name = "connect",
                ON_BOTH,
                .client = { .stepped = true },
                .target = "ipv4:10.0.0.1:10,10.0.0.254:443",
                .act = connect_channel },
        { .name = "tls",
                ON_BOTH,
                .is_secure = true,
                .client = { .stepped = true, .limits = { .idle_ms = 100 } },
                .act = call_twice_by_tls },
        { .name = "unary", ON_BOTH, .client = { .stepped = true }, .act = call_unary },
        { .name = "server-stream",
                ON_BOTH,
                .client = { .stepped = true },
                .act = call_server_stream },
        { .name = "client-stream",
                ON_BOTH,
                .client = { .stepped = true },
                .act = call_client_stream },
        { .name = "bidi", ON_BOTH, .client = { .stepped = true }, .act = call_bidi },
        { .name = "blocking", ON_BOTH, .act = call_blocking },
        { .name = "compression",
                ON_BOTH,
                .server = { .compression = QUOIT_GZIP },
                .client = { .stepped = true },
                .act = call_compressed },
        { .name = "offload",
                ON_BOTH,
                .server = { .workers = 2 },
                .methods = &(const quoit_method_options){ .offload = true },
                .client = { .stepped = true },
                .act = call_all_kinds },
        { .name = "health-watch",
                ON_BOTH,
                .prepare = register_health,
                .client = { .stepped = true },
                .channel = { .service_config =
                                     "{\"loadBalancingConfig\":[{\"round_robin\":{}}],"
                                     "\"healthCheckConfig\":{\"serviceName\":\"script.Script\"}}" },
                .act = watch_health },
        { .name = "reload",
                ON_BOTH,
                .is_secure = true,
                .client = { .stepped = true, .limits = { .idle_ms = 100 } },
                .act = reload },
        { .name = "drain", ON_BOTH, .client = { .stepped = true }, .act = drain },
        { .name = "restart",
                ON_BOTH,
                .servers = 2,
                .is_adopted = true,
                .client = { .stepped = true },
                .act = restart },
        { .name = "retry",
                ON_BOTH,
                .client = { .stepped = true },
                .channel = { .service_config = TRIED_AGAIN(
                                     "\"retryPolicy\":{\"maxAttempts\":4,"
                                     "\"initialBackoff\":\"0.01s\",\"maxBackoff\":\"1s\","
                                     "\"backoffMultiplier\":2,"
                                     "\"retryableStatusCodes\":[\"UNAVAILABLE\"]}") },
                .act = call_again },
        { .name = "hedging",
                ON_BOTH,
                .client = { .stepped = true },
                .channel = { .service_config = TRIED_AGAIN(
                                     "\"hedgingPolicy\":{\"maxAttempts\":3,"
                                     "\"hedgingDelay\":\"0.05s\",\"nonFatalStatusCodes\":[]}") },
                .act = call_hedged },
        { .name = "dns",
                ON_CLIENT,
                .client = { .stepped = true },
                .target = NAMES_TARGET,
                .act = call_plainly },
        { .name = "dns-records",
                ON_CLIENT,
                .client = { .stepped = true },
                .target = NAMES_TARGET,
                .channel = { .looks_up_srv = true, .looks_up_service_config = true },
                .act = call_plainly },
        { .name = "credentials",
                ON_CLIENT,
                .client = { .stepped = true },
                .channel = { .insecure_credentials = true },
                .act = call_with_credentials },
        { .name = "balancing",
                ON_CLIENT,
                .client = { .stepped = true },
                .target = "ipv4:10.0.0.1:10,10.0.0.254:443",
                .channel = { .service_config =
                                     "{\"loadBalancingConfig\":[{\"outlier_detection_"
                                     "experimental\":{"
                                     "\"interval\":\"0.05s\",\"failurePercentageEjection\":{"
                                     "\"threshold\":99},\"childPolicy\":[{\"round_robin\":{}}]}}]"
                                     "}" },
                .act = call_all_kinds },
        { .name = "web", ON_SERVER, .has_no_client = true, .act = fetch_all },
        { .name = "early-end", ON_BOTH, .client = { .stepped = true }, .act = end_early },
        { .name = "interceptors",
                ON_BOTH,
                .prepare = intercept,
                .client = { .stepped = true },
                .act = call_intercepted },
        { .name = "call-back",
                ON_SERVER,
                .is_called_back = true,
                .client = { .stepped = true },
                .act = call_back },
};

const unsigned scenario_count = sizeof(scenarios) / sizeof(*scenarios);
