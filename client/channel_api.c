/* SPDX-License-Identifier: MIT */

/* The public functions of a channel. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/balancer.h"
#include "client/channel.h"
#include "client/channel_config.h"
#include "client/channel_tls.h"
#include "client/handle.h"
#include "client/note.h"
#include "client/outcall.h"
#include "client/proxy.h"
#include "client/service_config.h"
#include "client/target.h"
#include "codec/metadata.h"
#include "transport/tls_client_config.h"

/* ---- what it is told ---- */

static bool is_valid(const char *text)
{
        return !text || (*text && metadata_value_valid(text, strlen(text)));
}

void channel_tell_problem(const char *problem, quoit_error *ret_error)
{
        if (ret_error)
                outcall_get_error(
                        QUOIT_INVALID_ARGUMENT, upb_StringView_FromString(problem), ret_error);
}

/* *@ret_config is NULL where @text is. @ret_problem: why it is -EINVAL. */
static int read_config(const char *text, struct service_config **ret_config,
        char ret_problem[static SERVICE_CONFIG_PROBLEM_BYTES])
{
        *ret_config = NULL;
        return text ? service_config_new(upb_StringView_FromString(text), ret_config, ret_problem)
                    : 0;
}

int quoit_service_config_check(const char *text, quoit_error *ret_error)
{
        char problem[SERVICE_CONFIG_PROBLEM_BYTES];
        struct service_config *config;
        int r = read_config(text, &config, problem);

        service_config_unref(config);
        if (r == -EINVAL)
                channel_tell_problem(problem, ret_error);
        return r;
}

/* As quoit_target_check(). */
static int read_target(const char *text, struct target *ret_target, quoit_error *ret_error)
{
        static const char forms[] =
                "a target is HOST:PORT, [ADDRESS]:PORT, dns:..., ipv4:..., ipv6:..., unix:PATH, "
                "unix-abstract:NAME or vsock:CID:PORT";
        char problem[QUOIT_ERROR_TEXT_BYTES];
        int r = target_parse(text, ret_target);

        if (r < 0) {
                snprintf(problem, sizeof(problem), "target \"%.256s\": %s; %s", text,
                        target_problem(ret_target, r), forms);
                channel_tell_problem(problem, ret_error);
        }
        return r;
}

int quoit_target_check(const char *text, quoit_error *ret_error)
{
        struct target target;

        return read_target(text, &target, ret_error);
}

int quoit_proxy_check(const char *target_text, const char *text, quoit_error *ret_error)
{
        char problem[PROXY_PROBLEM_BYTES];
        struct target target;
        struct proxy proxy;
        int r = read_target(target_text, &target, ret_error);

        if (r < 0)
                return r;
        r = proxy_choose(text, &target, &proxy, problem);
        if (r == 0)
                free(proxy.request);
        if (r == -EINVAL)
                channel_tell_problem(problem, ret_error);
        return r;
}

/* ---- life ---- */

static int make_parts(quoit_channel *channel, const struct target *target,
        const struct proxy *proxy, const quoit_channel_options *options,
        struct tls_client_config *tls, struct service_config *config)
{
        int r = 0;

        for (unsigned i = 0; r == 0 && i < channel->client->count; i++) {
                r = channel_new(channel->client->parts + i, target, proxy, options, tls,
                        &channel->parts[i]);
                if (r < 0)
                        return r;
                channel->parts[i]->handle = channel;
                atomic_fetch_add(&channel->parts_left, 1);
                r = channel_config_init(channel->parts[i], config, options);
        }
        return r;
}

void channel_handle_free(quoit_channel *channel)
{
        registry_remove(&channel->client->registry, &channel->record.record);
        free(channel->interceptors);
        free(channel->target);
        free(channel);
}

/* None of its parts is attached. */
static void free_parts(quoit_channel *channel)
{
        unsigned count = channel->parts_left;

        if (count == 0)
                channel_handle_free(channel);
        for (unsigned i = 0; i < count; i++) /* the last one frees the channel */
                channel_free(channel->parts[i]);
}

/* What @options name: files, and a service config. After an error nothing was made, and the log says why. */
static int read_options(quoit_client *client, const char *text,
        const quoit_channel_options *options, struct service_config **ret_config,
        struct tls_client_config **ret_tls)
{
        char config_problem[SERVICE_CONFIG_PROBLEM_BYTES];
        struct tls_problem tls_problem = { 0 };
        int r = read_config(options->service_config, ret_config, config_problem);

        if (r < 0) {
                if (r == -EINVAL)
                        note_program(client, QUOIT_LOG_ERROR,
                                "%s: the service config is refused: %s", text, config_problem);
                return r;
        }
        r = channel_tls_new(
                options->tls, client->parts[0].limits.tls_sessions_max, ret_tls, &tls_problem);
        if (r < 0) {
                note_program(client, QUOIT_LOG_ERROR, "%s: TLS: %s", text,
                        tls_problem.text[0] ? tls_problem.text : strerror(-r));
                service_config_unref(*ret_config);
        }
        return r;
}

/* Without its parts. NULL: no memory. */
static quoit_channel *channel_handle_new(quoit_client *client, const struct target *target)
{
        quoit_channel *channel =
                calloc(1, sizeof(*channel) + client->count * sizeof(struct channel *));

        if (!channel)
                return NULL;
        channel->client = client;
        if (asprintf(&channel->target, "%s%s", target->has_scheme ? "" : "dns:///", target->text) >=
                0)
                return channel;
        free(channel);
        return NULL;
}

static int make_channel(quoit_client *client, const char *text, const struct target *target,
        const struct proxy *proxy, const quoit_channel_options *options,
        quoit_channel **ret_channel)
{
        struct service_config *config;
        struct tls_client_config *tls;
        quoit_channel *channel;
        int r = read_options(client, text, options, &config, &tls);

        if (r < 0)
                return r;
        channel = channel_handle_new(client, target);
        r = channel ? make_parts(channel, target, proxy, options, tls, config) : -ENOMEM;
        tls_client_config_unref(tls);
        service_config_unref(config);
        if (r == 0)
                *ret_channel = channel;
        else if (channel)
                free_parts(channel);
        return r;
}

/* What can be wrong with @options alone. False: the log says why. */
static bool are_valid(quoit_client *client, const char *text, const quoit_channel_options *options)
{
        if (!is_valid(options->authority) || !is_valid(options->user_agent)) {
                note_program(client, QUOIT_LOG_ERROR,
                        "%s: authority or user_agent is empty, or not printable ASCII", text);
                return false;
        }
        if (options->connections_max > QUOIT_CHANNEL_CONNECTIONS_MAX) {
                note_program(client, QUOIT_LOG_ERROR, "%s: connections_max is more than %u", text,
                        QUOIT_CHANNEL_CONNECTIONS_MAX);
                return false;
        }
        return true;
}

/* What @text and @options say of where it goes. As read_options(); *@ret_proxy has its request to be freed. */
static int read_way(quoit_client *client, const char *text, const quoit_channel_options *options,
        struct target *ret_target, struct proxy *ret_proxy)
{
        char problem[PROXY_PROBLEM_BYTES];
        int r = target_parse(text, ret_target);

        if (r < 0) {
                note_program(client, QUOIT_LOG_ERROR, "target \"%.256s\": %s", text,
                        target_problem(ret_target, r));
                return r;
        }
        if (!are_valid(client, text, options))
                return -EINVAL;
        r = proxy_choose(options->proxy, ret_target, ret_proxy, problem);
        if (r == -EINVAL)
                note_program(client, QUOIT_LOG_ERROR, "%s: %s", text, problem);
        return r;
}

static void attach(quoit_channel *channel)
{
        quoit_client *client = channel->client;

        registry_add_channel(&client->registry, &channel->record);
        for (unsigned i = 0; i < client->count; i++)
                channel_attach(channel->parts[i]);
}

int quoit_channel_new(quoit_client *client, const char *text, const quoit_channel_options *options,
        quoit_channel **ret_channel)
{
        static const quoit_channel_options defaults;
        struct target target;
        struct proxy proxy;
        int r;

        if (client_is_inherited(client))
                return -ESHUTDOWN;
        if (!options)
                options = &defaults;
        r = read_way(client, text, options, &target, &proxy);
        if (r < 0)
                return r;
        r = make_channel(client, text, &target, &proxy, options, ret_channel);
        free(proxy.request);
        if (r == 0)
                attach(*ret_channel);
        return r;
}

quoit_channel *quoit_channel_free(quoit_channel *channel)
{
        unsigned count =
                channel && !client_is_inherited(channel->client) ? channel->client->count : 0;

        if (count > 0)
                registry_remove(&channel->client->registry, &channel->record.record);
        for (unsigned i = 0; i < count; i++) /* it lives as long as one of them */
                channel_detach(channel->parts[i]);
        return NULL;
}

/* ---- states ---- */

static void connect_part(struct channel *channel)
{
        channel->used_ns = ring_now_ns(channel_ring(channel));
        if (channel->state == QUOIT_CHANNEL_IDLE) {
                channel->connect_asked = true;
                channel_stir(channel);
        } else if (channel->state != QUOIT_CHANNEL_SHUTDOWN) {
                balancer_hurry(channel);
        }
}

static void on_connect(quoit_client *client, void *arg)
{
        (void)client;
        connect_part(arg);
}

int quoit_channel_connect(quoit_channel *channel)
{
        struct channel *here = channel_part_here(channel);
        int r = 0;

        if (here) {
                connect_part(here);
                return 0;
        }
        for (unsigned i = 0; r == 0 && i < channel->client->count; i++)
                r = client_run_task(channel->parts[i]->client, on_connect, channel->parts[i]);
        return r;
}

int quoit_channel_watch(quoit_channel *channel,
        void (*on_state)(quoit_channel *channel, quoit_channel_state state, void *user), void *user)
{
        struct channel *here = channel_part_here(channel);

        if (!here) {
                if (!client_is_inherited(channel->client))
                        note_misuse(channel->client, channel->client, channel->target, __func__,
                                WRONG_THREAD);
                return -EPERM;
        }
        here->state_count = 0;
        here->on_state = on_state;
        here->state_user = user;
        return 0;
}

const char *quoit_channel_state_name(quoit_channel_state state)
{
        static const char *const names[] = {
                [QUOIT_CHANNEL_IDLE] = "IDLE",
                [QUOIT_CHANNEL_CONNECTING] = "CONNECTING",
                [QUOIT_CHANNEL_READY] = "READY",
                [QUOIT_CHANNEL_TRANSIENT_FAILURE] = "TRANSIENT_FAILURE",
                [QUOIT_CHANNEL_SHUTDOWN] = "SHUTDOWN",
        };

        return (unsigned)state <= QUOIT_CHANNEL_SHUTDOWN ? names[state] : "UNKNOWN";
}

static quoit_channel_state state_of(const struct channel *channel)
{
        return atomic_load_explicit(&channel->state, memory_order_relaxed);
}

quoit_channel_state channel_best_state(const quoit_channel *channel)
{
        static const unsigned ranks[] = {
                [QUOIT_CHANNEL_READY] = 4,
                [QUOIT_CHANNEL_CONNECTING] = 3,
                [QUOIT_CHANNEL_IDLE] = 2,
                [QUOIT_CHANNEL_TRANSIENT_FAILURE] = 1,
                [QUOIT_CHANNEL_SHUTDOWN] = 0,
        };
        quoit_channel_state best = state_of(channel->parts[0]);

        for (unsigned i = 1; i < channel->client->count; i++) {
                quoit_channel_state state = state_of(channel->parts[i]);

                if (ranks[state] > ranks[best])
                        best = state;
        }
        return best;
}

quoit_channel_state quoit_channel_get_state(const quoit_channel *channel)
{
        const struct channel *here = channel_part_here(channel);

        if (client_is_inherited(channel->client))
                return QUOIT_CHANNEL_SHUTDOWN;
        return here ? state_of(here) : channel_best_state(channel);
}

/* ---- statistics ---- */

void quoit_channel_get_retries(const quoit_channel *channel, quoit_retry_statistics *ret_retries)
{
        *ret_retries = (quoit_retry_statistics){ 0 };
        for (unsigned i = 0; i < channel->client->count; i++) {
                const struct channel *part = channel->parts[i];

                ret_retries->retries += counter_read(&part->retry_counts.retries);
                ret_retries->hedged += counter_read(&part->retry_counts.hedged);
                ret_retries->transparent += counter_read(&part->retry_counts.transparent);
                ret_retries->throttled += counter_read(&part->retry_counts.throttled);
                ret_retries->overruns += counter_read(&part->replay.overruns);
        }
}

void quoit_channel_get_queue(const quoit_channel *channel, quoit_queue_statistics *ret_queue)
{
        *ret_queue = (quoit_queue_statistics){ 0 };
        for (unsigned i = 0; i < channel->client->count; i++) {
                ret_queue->waiting += counter_read(&channel->parts[i]->queued);
                ret_queue->refused += counter_read(&channel->parts[i]->refused);
        }
}
