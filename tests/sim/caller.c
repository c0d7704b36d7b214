/* SPDX-License-Identifier: MIT */
#include "caller.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check_client.h"
#include "core/clock.h"
#include "core/engine/sim.h"
#include "made.h"
#include "names.h"
#include "secure.h"

enum { MADE_MAX = 256, CONFIG_BYTES = 2048 };

static struct {
        const struct caller_setting *setting;
        quoit_client *client;
        quoit_channel *channel;
        int fd;
        uint64_t next_ns; /* when it does something by itself */
        bool is_calm; /* it knows */
        bool is_over;
        bool has_name; /* the channel's target is one */
        quoit_channel_state state; /* of the channel, as its watch has heard */
        uint64_t steps_left; /* it ends before the server does; SIM_NEVER: it does not */
        struct rules rules;
        quoit_retry_statistics retries; /* of all channels that it has left */
        struct made all[MADE_MAX];
        unsigned count;
} caller;

/* ---- what others see ---- */

/* That, or what a peer has made up; digits end with what is none. */
static unsigned number(upb_StringView text)
{
        unsigned value = 0;

        for (size_t i = 0; i < text.size && text.data[i] >= '0' && text.data[i] <= '9'; i++)
                value = value * 10 + (unsigned)(text.data[i] - '0');
        return value;
}

int caller_note_served(const quoit_call *call, unsigned *ret_attempt)
{
        upb_StringView value;
        unsigned id;

        *ret_attempt = 1;
        if (!quoit_call_metadata(call, "x-call", &value))
                return -1;
        id = number(value);
        if (id >= caller.count)
                sim_fail("outcall %u is served, and nobody has made it", id);
        if (quoit_call_metadata(call, "grpc-previous-rpc-attempts", &value))
                *ret_attempt = 1 + number(value);
        made_note_served(caller.all + id, *ret_attempt);
        return (int)id;
}

bool caller_has_ended(unsigned id)
{
        return caller.all[id].is_done;
}

void caller_check(void)
{
        check_client(caller.client);
}

void caller_print(void)
{
        for (unsigned i = 0; i < caller.count; i++) {
                if (caller.all[i].call)
                        made_print(caller.all + i);
        }
        check_print_client(caller.client);
}

/* ---- what chance chooses ---- */

static uint32_t one_of(uint32_t one, uint32_t two, uint32_t three)
{
        const uint32_t values[] = { one, two, three };

        return values[sim_below(3)];
}

static void choose_limits(quoit_client_limits *limits)
{
        *limits = (quoit_client_limits){ .message_receive_bytes_max = 1 << 20 };
        if (sim_chance(200))
                limits->call_queue_bytes_max = one_of(1, 100, 2000);
        if (sim_chance(200) && !caller.setting->is_gentle)
                limits->replay_bytes_max = one_of(1, 100, 1000);
        if (sim_chance(200))
                limits->calls_queued_max = one_of(1, 3, 20);
        if (sim_chance(200))
                limits->streams_max = one_of(2, 3, 10);
        if (sim_chance(200))
                limits->stream_window_bytes = one_of(1000, 16384, 65535);
        if (sim_chance(200) && !caller.setting->is_gentle)
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
        if (sim_chance(200) && !caller.setting->is_gentle)
                limits->keepalive_ms = one_of(10, 1000, 20000);
        if (sim_chance(300))
                limits->keepalive_timeout_ms = one_of(100, 1000, 5000);
        if (sim.rates[SIM_MUTE] > 0 && sim_chance(500)) {
                limits->keepalive_ms = 10;
                limits->keepalive_timeout_ms = 100;
        }
        if (sim_chance(200) && !caller.setting->is_gentle)
                limits->stall_ms = one_of(50, 1000, UINT32_MAX);
}

/* A name, or some that do not serve, and servers, in any order. */
static void choose_target(char *text, size_t size)
{
        static const char *const lame[] = { "10.0.0.254:10",
                "10.0.0.254:11" }; /* refuses, silent */
        unsigned first = (unsigned)sim_below(caller.setting->servers);
        size_t used = (size_t)snprintf(text, size, "ipv4:");
        bool has_lame = sim_chance(400);

        caller.has_name = sim_chance(400);
        caller.rules.is_steady = caller.setting->is_gentle && caller.setting->servers == 1 &&
                                 !has_lame && !caller.has_name;
        if (caller.has_name) {
                snprintf(text, size, NAMES_TARGET);
                return;
        }
        if (has_lame)
                used += (size_t)snprintf(text + used, size - used, "%s,", lame[sim_below(2)]);
        for (unsigned i = 0; i < caller.setting->servers; i++)
                used += (size_t)snprintf(text + used, size - used, "%s10.0.0.%u:%u",
                        i > 0 ? "," : "", SIM_FIRST_HOST - (first + i) % caller.setting->servers,
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
static int print_method(char *text, size_t size, quoit_method_kind kind)
{
        static const char *const names[] = { [QUOIT_UNARY] = "Unary",
                [QUOIT_SERVER_STREAMING] = "ServerStream",
                [QUOIT_CLIENT_STREAMING] = "ClientStream",
                [QUOIT_BIDI] = "Bidi" };
        struct policy *policy = caller.rules.policies + kind;
        int used = snprintf(text, size,
                "{\"name\":[{\"service\":\"script.Script\",\"method\":\"%s\"}]", names[kind]);

        *policy = (struct policy){ .kind = (enum policy_kind)sim_below(POLICIES),
                .attempts_max = 2 + (unsigned)sim_below(4) };
        if (policy->kind == POLICY_NONE)
                policy->attempts_max = 1;
        used += print_policy(text + used, size - (size_t)used, policy);
        return used + snprintf(text + used, size - (size_t)used, "}");
}

/* Addresses that fail are ejected soon, and others are let in. */
static int print_balancing(char *text, size_t size)
{
        static const char *const names[] = { "pick_first", "round_robin", "weighted_round_robin",
                "least_request_experimental", "ring_hash_experimental" };
        const char *name = names[sim_chance(500) ? sim_below(2) : sim_below(5)];

        if (sim_chance(800))
                return snprintf(text, size, "{\"%s\":{}}", name);
        caller.rules.is_steady = false; /* the only server may be ejected */
        return snprintf(text, size,
                "{\"outlier_detection_experimental\":{\"interval\":\"0.05s\","
                "\"baseEjectionTime\":\"0.2s\",\"maxEjectionPercent\":50,"
                "\"failurePercentageEjection\":{\"threshold\":40,\"minimumHosts\":1,"
                "\"requestVolume\":1},\"childPolicy\":[{\"%s\":{}}]}}",
                name);
}

static void choose_config(char *text, size_t size)
{
        bool has_policies = sim_chance(800), is_throttled, watches;
        size_t used = (size_t)snprintf(text, size, "{\"loadBalancingConfig\":[");

        used += (size_t)print_balancing(text + used, size - used);
        used += (size_t)snprintf(text + used, size - used, "]");
        watches = sim_chance(300);
        caller.rules.is_steady &= !watches;
        if (watches)
                used += (size_t)snprintf(text + used, size - used,
                        ",\"healthCheckConfig\":{\"serviceName\":\"script.Script\"}");
        is_throttled = sim_chance(200);
        caller.rules.is_throttled |= is_throttled;
        if (is_throttled)
                used += (size_t)snprintf(text + used, size - used,
                        ",\"retryThrottling\":{\"maxTokens\":%u,\"tokenRatio\":0.5}",
                        2 + (unsigned)sim_below(10));
        used += (size_t)snprintf(text + used, size - used, ",\"methodConfig\":[");
        for (int kind = QUOIT_UNARY; has_policies && kind <= QUOIT_BIDI; kind++) {
                used += (size_t)snprintf(text + used, size - used, kind > 0 ? "," : "");
                used += (size_t)print_method(text + used, size - used, (quoit_method_kind)kind);
        }
        snprintf(text + used, size - used, "]}");
}

/* ---- its life ---- */

static void on_state(quoit_channel *channel, quoit_channel_state state, void *user)
{
        (void)user;
        sim_note("the channel is", state, 0);
        if (channel !=
                caller.channel) /* it was freed: what had changed by then is told too, and SHUTDOWN */
                return;
        /* without memory, changes are told as one */
        if ((state == caller.state && sim.rates[SIM_NO_MEMORY] == 0) ||
                caller.state == QUOIT_CHANNEL_SHUTDOWN)
                sim_fail("a channel that is %s becomes %s", quoit_channel_state_name(caller.state),
                        quoit_channel_state_name(state));
        caller.state = state;
}

static int make_channel(void)
{
        const quoit_channel_tls tls = { .ca_file = secure_ca_file(), .server_name = "localhost" };
        char target[256], config[CONFIG_BYTES];
        const quoit_channel_options options = {
                .tls = caller.setting->is_secure ? &tls : NULL,
                .service_config = sim_chance(850) ? config : NULL,
                .connections_max = sim_chance(500) ? one_of(2, 3, 10) : 1,
        };
        int r;

        for (unsigned i = 0; i < 4; i++)
                caller.rules.policies[i] = (struct policy){ .attempts_max = 1 };
        choose_target(target, sizeof(target));
        if (options.service_config)
                choose_config(config, sizeof(config));
        if (sim.is_traced)
                printf("      %s %s\n", target, options.service_config ? config : "");
        r = quoit_channel_new(caller.client, target, &options, &caller.channel);
        if (r < 0 && sim.rates[SIM_NO_MEMORY] == 0)
                sim_fail("no channel (%d) to %s with %s", r, target, config);
        if (r < 0)
                return r;
        caller.rules.channel = caller.channel;
        caller.state = QUOIT_CHANNEL_IDLE;
        return quoit_channel_watch(caller.channel, on_state, NULL);
}

/* It counts no more. @frees: else the client's end does. */
static void leave_channel(bool frees)
{
        quoit_retry_statistics now, *all = &caller.retries;
        quoit_channel *channel = caller.channel;

        quoit_channel_get_retries(channel, &now);
        all->retries += now.retries;
        all->hedged += now.hedged;
        all->throttled += now.throttled;
        caller.channel = NULL;
        caller.rules.channel = NULL;
        if (frees)
                (void)quoit_channel_free(channel);
}

static bool begin(void)
{
        quoit_client_options options = { .stepped = true, .engine = QUOIT_ENGINE_EPOLL };

        caller.rules.server_stops = caller.setting->server_stops;
        caller.rules.is_gentle = caller.setting->is_gentle;
        choose_limits(&options.limits);
        if (quoit_client_new(&options, &caller.client) < 0)
                return false;
        if (make_channel() < 0) {
                caller.client = quoit_client_free(caller.client);
                return false;
        }
        caller.fd = quoit_client_fd(caller.client);
        caller.steps_left = sim_chance(200) ? sim_below(300) : SIM_NEVER;
        return true;
}

/* ---- what it does ---- */

static void begin_call(void)
{
        struct made *made = caller.all + caller.count;

        *made = (struct made){ .rules = &caller.rules, .id = caller.count };
        if (made_begin(made, caller.channel) == 0)
                caller.count++;
}

/* Another one, with other rules, while calls of the first may run. */
static void change_channel(void)
{
        if (caller.channel)
                leave_channel(true);
        (void)make_channel();
}

static void act(void)
{
        if (caller.count < MADE_MAX && caller.channel && sim_chance(400))
                begin_call();
        if (caller.count > 0 && sim_chance(100))
                made_cancel(caller.all + sim_below(caller.count));
        if (caller.channel && sim_chance(30))
                (void)quoit_channel_connect(caller.channel);
        if (sim_chance(5))
                change_channel();
        if (caller.has_name && sim_chance(20))
                names_change();
        caller.next_ns = sim.now_ns + sim_below(sim_chance(100) ? NS_PER_S : 10 * NS_PER_MS);
}

/* What ends by itself shall, the rest is given up. */
static void be_calm(void)
{
        caller.is_calm = true;
        names_calm();
        for (unsigned i = 0; i < caller.count; i++) {
                if (!made_ends(caller.all + i))
                        made_cancel(caller.all + i);
        }
}

bool caller_is_served(void)
{
        for (unsigned i = 0; i < caller.count; i++) {
                if (caller.all[i].call)
                        return false;
        }
        return caller.is_calm || caller.is_over || !caller.client;
}

/* ---- its thread ---- */

static uint64_t due_ns(const void *unused)
{
        uint64_t ring_ns = sim_poll_due_ns(caller.fd);

        (void)unused;
        if (*caller.setting->server_is_over || caller.is_calm != sim.is_calm)
                return 0;
        return !caller.is_calm && caller.next_ns < ring_ns ? caller.next_ns : ring_ns;
}

static bool ends(void)
{
        if (caller.steps_left != SIM_NEVER && caller.steps_left-- == 0)
                return true;
        return *caller.setting->server_is_over;
}

static void end(void)
{
        quoit_client *client = caller.client;

        sim_note("the client ends", caller.count, 0);
        if (caller.channel)
                leave_channel(sim_chance(500));
        made_check_counts(caller.all, caller.count, &caller.retries);
        caller.client = NULL; /* nobody looks at it any more */
        if (quoit_client_free(client))
                sim_fail("a client was not freed");
        for (unsigned i = 0; i < caller.count; i++) {
                if (!caller.all[i].is_done)
                        sim_fail("outcall %u has not ended, and its client has", i);
        }
}

void *caller_run(void *setting)
{
        memset(&caller, 0, sizeof(caller));
        caller.setting = setting;
        names_begin(caller.setting->servers);
        if (begin()) {
                while (!ends()) {
                        sim_block(due_ns, NULL);
                        if (sim.is_calm && !caller.is_calm)
                                be_calm();
                        else if (!sim.is_calm && caller.next_ns <= sim.now_ns)
                                act();
                        if (quoit_client_step(caller.client) != 1)
                                sim_fail("a client's step has failed");
                }
                end();
        }
        caller.is_over = true;
        return NULL;
}
