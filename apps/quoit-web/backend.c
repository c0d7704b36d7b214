/* SPDX-License-Identifier: MIT */
#include "backend.h"

#include <string.h>

#include <quoit/balancing.h>
#include <quoit/client_interceptor.h>

#include "../common/open_channel.h"
#include "../common/program.h"

/* Somebody sits before the page and waits: a backend that is back is seen within a moment. */
#define BACKOFF_MS 200
#define BACKOFF_MS_MAX 2000
#define CONNECT_MS 5000

static void on_start(quoit_outcall *call, void *user)
{
        struct backend *backend = user;

        (void)call;
        figures_begin_call(&backend->figures);
}

static void on_end(const quoit_outcall *call, const quoit_outcall_summary *summary, void *user)
{
        struct backend *backend = user;
        enum figures_end end = FIGURES_FAILED;

        if (!summary->start_seen)
                return;
        if (summary->status == QUOIT_OK && quoit_outcall_method(call)->kind == QUOIT_UNARY)
                end = FIGURES_ANSWERED;
        else if (summary->status == QUOIT_OK || summary->status == QUOIT_CANCELLED)
                end = FIGURES_ENDED;
        figures_end_call(&backend->figures, end, summary->started_ns + summary->duration_ns,
                summary->duration_ns);
}

static const quoit_client_interceptor interceptor = { .on_start = on_start, .on_end = on_end };

static bool fail(const struct backend *backend, const char *why)
{
        program_say(QUOIT_LOG_ERROR, "the backend, %s: %s", backend->target, why);
        return false;
}

bool backend_init(
        struct backend *backend, quoit_server *server, const char *target, const char *ca_file)
{
        const quoit_load_balancing balancing = { .policy = "round_robin" };
        const quoit_channel_tls tls = { .ca_file = ca_file };
        const quoit_channel_options channel_options = {
                .tls = ca_file ? &tls : NULL,
                .load_balancing = &balancing,
                .user_agent = "quoit-web",
        };
        const quoit_client_options client_options = {
                .lent = quoit_server_rings(server),
                .limits = { .backoff_initial_ms = BACKOFF_MS,
                        .backoff_max_ms = BACKOFF_MS_MAX,
                        .connect_ms = CONNECT_MS },
                .on_log = quoit_log_writer_log,
                .log_user = program_log,
        };
        quoit_error error;
        int r;

        *backend = (struct backend){ .target = target, .figures = FIGURES_INIT };
        r = quoit_client_new(&client_options, &backend->client);
        if (r < 0)
                return fail(backend, strerror(-r));
        if (open_channel(backend->client, target, &channel_options, &backend->channel, &error) < 0)
                return fail(backend, quoit_error_text(&error));
        r = quoit_channel_intercept(backend->channel, &interceptor, backend);
        return r == 0 || fail(backend, strerror(-r));
}

void backend_deinit(struct backend *backend)
{
        backend->client = quoit_client_free(backend->client); /* the channel too */
}

const char *backend_look(struct backend *backend)
{
        quoit_channel_state state = quoit_channel_get_state(backend->channel);

        if (state == QUOIT_CHANNEL_IDLE)
                quoit_channel_connect(backend->channel);
        return quoit_channel_state_name(state);
}
