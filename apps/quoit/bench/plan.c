/* SPDX-License-Identifier: MIT */
#include "plan.h"

#include <math.h>

#include "../connection.h"
#include "../say.h"
#include "options.h"

#define NS_PER_MS UINT64_C(1000000)
#define MS_PER_SECOND 1e3

/* An open loop's rate, its time, and the warm-up before it. */
static int set_rate(struct plan *plan, const struct bench_options *options, struct profile *profile)
{
        double seconds = options->duration_ms > 0 ? options->duration_ms / MS_PER_SECOND : INFINITY;
        const char *problem = profile_parse(profile, options->rate, seconds);

        if (problem)
                return say_usage("--rate %s: %s", options->rate, problem);
        seconds = profile_seconds(profile);
        if (options->duration_ms == 0 && isinf(seconds) && plan->requests == PLAN_UNLIMITED)
                return say_usage("--rate: a --duration or --requests is needed");
        plan->duration_ns = isinf(seconds) ? PLAN_UNLIMITED : (uint64_t)(seconds * 1e9);
        if (options->warmup_ms > 0)
                profile_warm_up(profile, options->warmup_ms / MS_PER_SECOND);
        plan->profile = profile;
        return EXIT_DONE;
}

static int set_messages(struct plan *plan, const struct bench_options *options)
{
        bool streams =
                plan->method.kind == QUOIT_CLIENT_STREAMING || plan->method.kind == QUOIT_BIDI;

        if (options->messages > 0 && !streams)
                return say_usage("--messages: a call of this method sends one");
        if (options->ping_pong && plan->method.kind != QUOIT_BIDI)
                return say_usage("--ping-pong: this method does not stream both ways");
        plan->messages = !streams                ? 1
                         : options->messages > 0 ? options->messages
                                                 : (uint32_t)plan->payload.count;
        plan->ping_pong = options->ping_pong;
        return EXIT_DONE;
}

int plan_init(struct plan *plan, const struct bench_options *options,
        const struct connection *connection, struct profile *profile)
{
        int status;

        plan->client = connection->setup.client;
        plan->channel = connection->setup.channel;
        plan->target = connection->setup.target;
        plan->threads = options->threads;
        plan->connections = options->connections;
        plan->concurrency = options->concurrency;
        /* what the server's limit of streams keeps waiting is no failure */
        plan->client.limits.calls_queued_max = options->concurrency;
        plan->call.timeout_ms = options->timeout_ms;
        plan->by_chance = options->by_chance;
        plan->seed = options->seed;
        plan->warmup_ns = options->warmup_ms * NS_PER_MS;
        plan->duration_ns =
                options->duration_ms > 0 ? options->duration_ms * NS_PER_MS : PLAN_UNLIMITED;
        plan->requests = options->requests > 0 ? options->requests : PLAN_UNLIMITED;
        status = set_messages(plan, options);
        if (status == EXIT_DONE && options->rate)
                status = set_rate(plan, options, profile);
        return status;
}
