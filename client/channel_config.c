/* SPDX-License-Identifier: MIT */
#include "client/channel_config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/addresses.h"
#include "client/balancer.h"
#include "client/dns.h"
#include "client/note.h"
#include "client/outcall.h"
#include "client/outliers.h"

#define HOST_NAME_BYTES 256

/* ---- what it says ---- */

/* What the program says goes before every service config. */
static const struct balancing *balancing_of(
        const struct channel *channel, const struct service_config *config)
{
        return channel->has_own_balancing || !config || !config->has_balancing
                       ? &channel->own_balancing
                       : &config->balancing;
}

static void set_throttling(struct channel *channel)
{
        struct throttling limits = { 0 };

        if (channel->service_config)
                limits = channel->service_config->throttling;
        if (limits.tokens_max != channel->throttle.limits.tokens_max ||
                limits.token_ratio != channel->throttle.limits.token_ratio)
                throttle_init(&channel->throttle, limits);
}

/* Connections of before finish their calls, and those that follow are @balancer's. */
static void replace_balancer(struct channel *channel, struct balancer *balancer)
{
        balancer_stop(channel);
        balancer_free(channel->balancer);
        channel->balancer = balancer;
        if (channel->state == QUOIT_CHANNEL_READY ||
                channel->state == QUOIT_CHANNEL_TRANSIENT_FAILURE)
                channel_set_state(channel, QUOIT_CHANNEL_CONNECTING);
}

static void restart_checks(struct channel *channel)
{
        for (unsigned i = 0; i < channel->count; i++)
                health_check_restart(channel->subchannels[i]);
}

/* Takes the reference of @config. @balancer: a new one; NULL: the one that there is goes on. */
static void set_config(
        struct channel *channel, struct service_config *config, struct balancer *balancer)
{
        struct service_config *old = channel->service_config;

        channel->balancing = *balancing_of(channel, config);
        channel->service_config = config;
        set_throttling(channel);
        if (!channel->balancing.ejects)
                outliers_rest(channel);
        if (balancer)
                replace_balancer(channel, balancer);
        else if (!health_check_is_same(old, config))
                restart_checks(channel);
        service_config_unref(old);
}

/* Takes the reference of @config. -ENOMEM: nothing has changed, and the reference is gone. */
static int apply(struct channel *channel, struct service_config *config)
{
        const struct balancer_policy *policy = balancing_of(channel, config)->policy;
        bool is_new = policy != channel->balancing.policy;
        struct balancer *balancer = is_new ? balancer_new(policy, channel) : NULL;

        if (is_new && !balancer) {
                service_config_unref(config);
                return -ENOMEM;
        }
        set_config(channel, config, balancer);
        return 0;
}

/* ---- from the beginning ---- */

int channel_config_init(struct channel *channel, struct service_config *config,
        const quoit_channel_options *options)
{
        int r = balancing_from_options(options->load_balancing, &channel->own_balancing);

        if (r < 0)
                return r;
        channel->has_own_balancing = options->load_balancing != NULL;
        channel->looks_up_config =
                options->looks_up_service_config && channel->host && !channel->proxy_request;
        channel->config_is_known = !channel->looks_up_config;
        channel->own_config = service_config_ref(config);
        channel->service_config = service_config_ref(config);
        set_throttling(channel);
        channel->balancing = *balancing_of(channel, config);
        channel->balancer = balancer_new(channel->balancing.policy, channel);
        return channel->balancer ? 0 : -ENOMEM;
}

void channel_config_deinit(struct channel *channel)
{
        balancer_free(channel->balancer);
        service_config_unref(channel->service_config);
        service_config_unref(channel->own_config);
        free(channel->config_text);
}

/* ---- by DNS ---- */

void channel_config_settle(struct channel *channel)
{
        struct list *link, *next;

        if (channel->config_is_known)
                return;
        channel->config_is_known = true;
        for (link = channel->calls.next; link != &channel->calls; link = next) {
                next = link->next;
                outcall_configure(CONTAINER_OF(link, struct quoit_outcall, link));
        }
}

/* Where this client stands, 1 to 100, among those of which a percentage has a config: the same for a channel's life. */
static unsigned percent_of(struct channel *channel)
{
        if (channel->percent == 0)
                channel->percent = 1 + (unsigned)(ring_jitter(channel_ring(channel)) % 100);
        return channel->percent;
}

/* *@ret_config: NULL for what the record does not have for this client. Errors as service_config_new(). */
static int choose(struct channel *channel, const struct dns_txt *txt,
        struct service_config **ret_config, char *ret_problem)
{
        char host_name[HOST_NAME_BYTES] = "";

        if (gethostname(host_name, sizeof(host_name) - 1) < 0)
                host_name[0] = '\0';
        return service_config_choose(upb_StringView_FromDataAndSize(txt->text, txt->size),
                host_name, percent_of(channel), ret_config, ret_problem);
}

/* @text: NULL for none. */
static bool is_text(const struct channel *channel, const char *text)
{
        if (!text || !channel->config_text)
                return !text && !channel->config_text;
        return strcmp(text, channel->config_text) == 0;
}

/* What it goes by from here on. -EINVAL with a @ret_problem; -ENOMEM. */
static int take(struct channel *channel, const struct dns_txt *txt, char *ret_problem)
{
        struct service_config *config = NULL;
        char *text = txt->text ? strdup(txt->text) : NULL;
        int r = txt->text && !text ? -ENOMEM : 0;

        if (r == 0 && text)
                r = choose(channel, txt, &config, ret_problem);
        if (r == 0)
                r = apply(channel, config ? config : service_config_ref(channel->own_config));
        if (r < 0) {
                free(text);
                return r;
        }
        free(channel->config_text);
        channel->config_text = text;
        return 0;
}

bool channel_config_on_lookup(struct channel *channel, const struct dns_txt *txt,
        char ret_problem[static CHANNEL_PROBLEM_BYTES])
{
        char problem[SERVICE_CONFIG_PROBLEM_BYTES] = "out of memory";
        bool says = txt->text || txt->answer.is_none;

        if (says && !is_text(channel, txt->text) && take(channel, txt, problem) < 0) {
                snprintf(ret_problem, CHANNEL_PROBLEM_BYTES, "its service config: %s", problem);
                if (!channel->config_is_known)
                        return false;
                note_channel(channel, QUOIT_LOG_WARNING,
                        "the service config of its name is refused, the one before it stays: %s",
                        problem);
        }
        channel_config_settle(channel);
        return true;
}
