/* SPDX-License-Identifier: MIT */
#include "panel.h"

#include <stdbool.h>
#include <string.h>

#include "../common/clock.h"
#include "backend.h"

#define LOOK_MS 250 /* how often it looks for a change of the connection's state */
#define LOOKS_MAX 4 /* after so many there is a state in any case */

struct watch {
        struct backend *backend;
        const char *connection; /* as it was sent last; static */
        unsigned looks; /* since then */
};

static void set_latency(web_State *state, const struct figures_summary *summary, upb_Arena *arena)
{
        web_Latency *latency = web_State_mutable_latency(state, arena);

        if (!latency)
                return;
        web_Latency_set_p50_ms(latency, summary->p50_ms);
        web_Latency_set_p90_ms(latency, summary->p90_ms);
        web_Latency_set_p99_ms(latency, summary->p99_ms);
}

static void send_state(quoit_call *call, struct watch *watch)
{
        upb_Arena *arena = quoit_call_scratch(call);
        web_State *state = web_State_new(arena);
        struct figures_summary summary;

        figures_read(&watch->backend->figures, clock_now_ns(), &summary);
        if (state) {
                web_State_set_backend(state, upb_StringView_FromString(watch->backend->target));
                web_State_set_connection(state, upb_StringView_FromString(watch->connection));
                web_State_set_calls_per_second(state, summary.calls_per_second);
                web_State_set_running(state, summary.running);
                web_State_set_calls(state, summary.calls);
                web_State_set_failures(state, summary.failures);
                if (summary.has_latency)
                        set_latency(state, &summary, arena);
        }
        web_Panel_watch_send(call, state);
}

static void stop(quoit_call *call, void *arg)
{
        (void)arg;
        quoit_call_finish(call, QUOIT_UNAVAILABLE, "the front end stops");
}

/* Who does not read misses states. */
static void look(quoit_call *call, void *arg)
{
        struct watch *watch = arg;
        const char *connection = backend_look(watch->backend);

        watch->looks++;
        if (quoit_call_writable(call) &&
                (watch->looks >= LOOKS_MAX || strcmp(connection, watch->connection) != 0)) {
                watch->connection = connection;
                watch->looks = 0;
                send_state(call, watch);
        }
        if (quoit_call_after(call, LOOK_MS, look, watch) < 0)
                quoit_call_finish(call, QUOIT_CANCELLED, NULL);
}

static void watch_panel(quoit_call *call, const web_WatchRequest *request, void *user)
{
        struct watch *watch = quoit_call_alloc(call, sizeof(*watch));

        (void)request;
        if (!watch) {
                quoit_call_finish(call, QUOIT_RESOURCE_EXHAUSTED, "out of memory");
                return;
        }
        *watch = (struct watch){ .backend = user, .connection = "", .looks = LOOKS_MAX };
        quoit_call_at_stop(call, stop, NULL);
        look(call, watch);
}

const web_Panel_service panel_service = { .watch = watch_panel };
