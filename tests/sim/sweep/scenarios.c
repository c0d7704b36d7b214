/* SPDX-License-Identifier: MIT */
#include "scenarios.h"

#include "calls.h"
#include "core/clock.h"

/* ---- the beginning ---- */

static int register_more(struct stage *stage, quoit_server *server)
{
        static const quoit_interceptor nothing;

        (void)stage;
        return quoit_server_intercept(server, &nothing, NULL);
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

/* ---- the table ---- */

#define ON_SERVER .sides = { [SIDE_SERVER] = true }
#define ON_CLIENT .sides = { [SIDE_CLIENT] = true }
#define ON_BOTH .sides = { [SIDE_SERVER] = true, [SIDE_CLIENT] = true }

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
};

const unsigned scenario_count = sizeof(scenarios) / sizeof(*scenarios);
