/* SPDX-License-Identifier: MIT */
#include "choice.h"

#include <stdio.h>

#include <quoit/client_interceptor.h>

#include "core/engine/sim.h"
#include "made.h"
#include "names.h"
#include "secure.h"

enum { CONFIG_BYTES = 2048 };

static uint32_t one_of(uint32_t one, uint32_t two, uint32_t three)
{
        const uint32_t values[] = { one, two, three };

        return values[sim_below(3)];
}

void choose_client_limits(const struct setting *setting, quoit_client_limits *limits)
{
        *limits = (quoit_client_limits){ .message_receive_bytes_max = 1 << 20 };
        if (sim_chance(200))
                limits->call_queue_bytes_max = one_of(1, 100, 2000);
        if (sim_chance(200) && !setting->is_gentle)
                limits->replay_bytes_max = one_of(1, 100, 1000);
        if (sim_chance(200))
                limits->calls_queued_max = one_of(1, 3, 20);
        if (sim_chance(200))
                limits->streams_max = one_of(2, 3, 10);
        if (sim_chance(200))
                limits->stream_window_bytes = one_of(1000, 16384, 65535);
        if (sim_chance(200) && !setting->is_gentle)
                limits->connect_ms = one_of(50, 1000, 20000);
        if (sim_chance(300))
                limits->backoff_initial_ms = one_of(10, 100, 1000);
        if (sim_chance(300))
                limits->resolution_ms = one_of(100, 1000, 5000);
        if (sim_chance(500))
                limits->resolution_ms_min = one_of(1, 100, 2000);
        if (sim_chance(300))
                limits->resolution_period_ms = one_of(200, 1000, 5000);
        limits->backoff_max_ms = 10000; /* or a seed's last call may wait for long */
        if (sim_chance(200))
                limits->idle_ms = one_of(10, 200, 5000);
        if (sim_chance(300))
                limits->connection_spare_ms = one_of(10, 200, 5000);
        if (sim_chance(200) && !setting->is_gentle)
                limits->keepalive_ms = one_of(10, 1000, 20000);
        if (sim_chance(300))
                limits->keepalive_timeout_ms = one_of(100, 1000, 5000);
        if (sim.rates[SIM_MUTE] > 0 && sim_chance(500)) {
                limits->keepalive_ms = 10;
                limits->keepalive_timeout_ms = 100;
        }
        if (sim_chance(200) && !setting->is_gentle)
                limits->stall_ms = one_of(50, 1000, UINT32_MAX);
        if (sim_chance(500))
                limits->compress_bytes_min = 1;
        if (sim_chance(200))
                limits->attempt_delay_ms = one_of(100, 500, 2000);
        if (sim_chance(200))
                limits->window_bytes_max = 1; /* they do not grow */
        if (sim_chance(100))
                limits->connection_send_bytes_max = one_of(1, 1000, 20000);
        if (sim_chance(100) && !setting->is_gentle)
                limits->replay_channel_bytes_max = one_of(1, 100, 1000);
        if (sim_chance(100) && !setting->is_gentle)
                limits->connection_receive_bytes_max = one_of(10000, 50000, 200000);
}

/* ---- a channel ---- */

/* A name, or some that do not serve, and servers, in any order. */
static void choose_target(struct choice *choice, char *text, size_t size)
{
        static const char *const lame[] = { "10.0.0.254:10",
                "10.0.0.254:11" }; /* refuses, silent */
        unsigned first = (unsigned)sim_below(choice->setting->servers);
        size_t used = (size_t)snprintf(text, size, "ipv4:");
        bool has_lame = sim_chance(400);

        choice->has_name = sim_chance(400);
        choice->rules->is_steady = choice->setting->is_gentle && choice->setting->servers == 1 &&
                                   !has_lame && !choice->has_name;
        if (choice->has_name) {
                snprintf(text, size, NAMES_TARGET);
                return;
        }
        if (has_lame)
                used += (size_t)snprintf(text + used, size - used, "%s,", lame[sim_below(2)]);
        for (unsigned i = 0; i < choice->setting->servers; i++)
                used += (size_t)snprintf(text + used, size - used, "%s10.0.0.%u:%u",
                        i > 0 ? "," : "", SIM_FIRST_HOST - (first + i) % choice->setting->servers,
                        SIM_SERVER_PORT);
}

static int print_policy(char *text, size_t size, const struct policy *policy)
{
        unsigned first_ms = 1 + (unsigned)sim_below(sim_chance(500) ? 50 : 1000);

        if (policy->kind == POLICY_RETRY)
                return snprintf(text, size,
                        ",\"retryPolicy\":{\"maxAttempts\":%u,\"initialBackoff\":\"%u.%03us\","
                        "\"maxBackoff\":\"3s\",\"backoffMultiplier\":2,"
                        "\"retryableStatusCodes\":[\"UNAVAILABLE\"]}",
                        policy->attempts_max, first_ms / 1000, first_ms % 1000);
        if (policy->kind == POLICY_HEDGING)
                return snprintf(text, size,
                        ",\"hedgingPolicy\":{\"maxAttempts\":%u,\"hedgingDelay\":\"%u.%03us\","
                        "\"nonFatalStatusCodes\":[\"UNAVAILABLE\"]}",
                        policy->attempts_max, first_ms / 1000, first_ms % 1000);
        return 0;
}

/* A method's. */
static int print_method(struct choice *choice, char *text, size_t size, quoit_method_kind kind)
{
        static const char *const names[] = { [QUOIT_UNARY] = "Unary",
                [QUOIT_SERVER_STREAMING] = "ServerStream",
                [QUOIT_CLIENT_STREAMING] = "ClientStream",
                [QUOIT_BIDI] = "Bidi" };
        struct policy *policy = choice->rules->policies + kind;
        int used = snprintf(text, size,
                "{\"name\":[{\"service\":\"script.Script\",\"method\":\"%s\"}]", names[kind]);

        *policy = (struct policy){ .kind = (enum policy_kind)sim_below(POLICIES),
                .attempts_max = 2 + (unsigned)sim_below(4),
                .timeout_ms = sim_chance(100) ? one_of(20, 200, 2000) : 0 };
        if (policy->kind == POLICY_NONE)
                policy->attempts_max = 1;
        if (policy->timeout_ms > 0)
                used += snprintf(text + used, size - (size_t)used, ",\"timeout\":\"%u.%03us\"",
                        policy->timeout_ms / 1000, policy->timeout_ms % 1000);
        used += print_policy(text + used, size - (size_t)used, policy);
        return used + snprintf(text + used, size - (size_t)used, "}");
}

/* A policy and what it can be told. */
static void print_policy_of_balancing(char *text, size_t size)
{
        static const char *const names[] = { "pick_first", "round_robin", "weighted_round_robin",
                "least_request_experimental", "ring_hash_experimental" };
        unsigned which = (unsigned)(sim_chance(500) ? sim_below(2) : sim_below(5));
        char told[200] = "";

        if (which == 0 && sim_chance(500))
                snprintf(told, sizeof(told), "\"shuffleAddressList\":true");
        if (which == 2)
                snprintf(told, sizeof(told),
                        "\"blackoutPeriod\":\"0s\",\"weightUpdatePeriod\":\"0.1s\","
                        "\"weightExpirationPeriod\":\"1s\",\"oobReportingPeriod\":\"0.05s\","
                        "\"enableOobLoadReport\":%s",
                        sim_chance(500) ? "true" : "false");
        if (which == 3)
                snprintf(told, sizeof(told), "\"choiceCount\":%u", 2 + (unsigned)sim_below(4));
        if (which == 4)
                snprintf(told, sizeof(told), "\"minRingSize\":%u,\"maxRingSize\":%u",
                        1 + (unsigned)sim_below(8), 8 + (unsigned)sim_below(60));
        snprintf(text, size, "{\"%s\":{%s}}", names[which], told);
}

/* Addresses that fail are ejected soon, and others are let in. */
static int print_balancing(struct choice *choice, char *text, size_t size)
{
        char policy[300];

        print_policy_of_balancing(policy, sizeof(policy));
        if (sim_chance(800))
                return snprintf(text, size, "%s", policy);
        choice->rules->is_steady = false; /* the only server may be ejected */
        return snprintf(text, size,
                "{\"outlier_detection_experimental\":{\"interval\":\"0.05s\","
                "\"baseEjectionTime\":\"0.2s\",\"maxEjectionPercent\":50,"
                "\"failurePercentageEjection\":{\"threshold\":40,\"minimumHosts\":1,"
                "\"requestVolume\":1},\"childPolicy\":[%s]}}",
                policy);
}

static void choose_config(struct choice *choice, char *text, size_t size)
{
        bool has_policies = sim_chance(800), is_throttled, watches;
        size_t used = (size_t)snprintf(text, size, "{\"loadBalancingConfig\":[");

        used += (size_t)print_balancing(choice, text + used, size - used);
        used += (size_t)snprintf(text + used, size - used, "]");
        watches = sim_chance(300);
        choice->rules->is_steady &= !watches;
        if (watches)
                used += (size_t)snprintf(text + used, size - used,
                        ",\"healthCheckConfig\":{\"serviceName\":\"script.Script\"}");
        is_throttled = sim_chance(200);
        choice->rules->is_throttled |= is_throttled;
        if (is_throttled)
                used += (size_t)snprintf(text + used, size - used,
                        ",\"retryThrottling\":{\"maxTokens\":%u,\"tokenRatio\":0.5}",
                        2 + (unsigned)sim_below(10));
        used += (size_t)snprintf(text + used, size - used, ",\"methodConfig\":[");
        for (int kind = QUOIT_UNARY; has_policies && kind <= QUOIT_BIDI; kind++) {
                used += (size_t)snprintf(text + used, size - used, kind > 0 ? "," : "");
                used += (size_t)print_method(
                        choice, text + used, size - used, (quoit_method_kind)kind);
        }
        snprintf(text + used, size - used, "]}");
}

/* ---- an interceptor ---- */

static unsigned starts, ends; /* that it has seen; outcalls may end before they start */

static void on_start(quoit_outcall *call, void *unused)
{
        (void)unused;
        starts++;
        if (sim_chance(30))
                quoit_outcall_finish(call, QUOIT_PERMISSION_DENIED, "intercepted");
}

static void on_end(const quoit_outcall *call, const quoit_outcall_summary *summary, void *unused)
{
        (void)call;
        (void)unused;
        ends += summary->start_seen;
}

static int choose_interceptor(quoit_channel *channel)
{
        static const quoit_client_interceptor interceptor = { .on_start = on_start,
                .on_end = on_end };

        return sim_chance(200) ? quoit_channel_intercept(channel, &interceptor, NULL) : 0;
}

void choice_begin_run(void)
{
        starts = ends = 0;
}

void choice_check_ended(void)
{
        if (starts != ends)
                sim_fail("interceptors have seen %u outcalls start, and %u end", starts, ends);
}

/* ---- all of it ---- */

/* Lists of addresses behind the first. Returns how many; the last one has the run's own server. */
static size_t choose_fallbacks(struct choice *choice, const char *ret_targets[2])
{
        static const char lame[] = "ipv4:10.0.0.254:10", first[] = "ipv4:10.0.0.254:443";

        if (!sim_chance(150))
                return 0;
        choice->rules->is_steady = false;
        ret_targets[0] = sim_chance(500) ? lame : first;
        ret_targets[1] = first;
        return 2;
}

int choose_channel(struct choice *choice, quoit_client *client, quoit_channel **ret_channel)
{
        const quoit_channel_tls tls = { .ca_file = secure_ca_file(), .server_name = "localhost" };
        char target[256], config[CONFIG_BYTES];
        const char *fallbacks[2];
        quoit_channel_options options = {
                .tls = choice->setting->is_secure ? &tls : NULL,
                .service_config = sim_chance(850) ? config : NULL,
                .connections_max = sim_chance(500) ? one_of(2, 3, 10) : 1,
                .fails_when_full = sim_chance(100),
                .fallback_targets = fallbacks,
        };
        int r;

        for (unsigned i = 0; i < 4; i++)
                choice->rules->policies[i] = (struct policy){ .attempts_max = 1 };
        choose_target(choice, target, sizeof(target));
        options.fallback_target_count = choose_fallbacks(choice, fallbacks);
        if (options.service_config)
                choose_config(choice, config, sizeof(config));
        if (sim.is_traced)
                printf("      %s %s\n", target, options.service_config ? config : "");
        r = quoit_channel_new(client, target, &options, ret_channel);
        if (r < 0 && sim.rates[SIM_NO_MEMORY] == 0)
                sim_fail("no channel (%d) to %s with %s", r, target, config);
        if (r == 0 && choose_interceptor(*ret_channel) < 0 && sim.rates[SIM_NO_MEMORY] == 0)
                sim_fail("a channel is not intercepted");
        return r;
}
