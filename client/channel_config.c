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

/* Connections of before finish their calls. Those that follow are @policy's; -ENOMEM: of the one before. */
static int change_policy(struct channel *channel, const struct balancer_policy *policy)
{
        int r;

        balancer_stop(channel);
        r = tiers_set_policy(channel, policy, 0);
        if (channel->state != QUOIT_CHANNEL_IDLE)
                tier_set_state(channel->tier, QUOIT_CHANNEL_CONNECTING);
        return r;
}

static void restart_reports(struct channel *channel)
{
        for (unsigned i = 0; i < channel->count; i++)
                load_reports_restart(channel->subchannels[i]);
}

static void restart_checks(struct channel *channel)
{
        for (unsigned i = 0; i < channel->count; i++)
                health_check_restart(channel->subchannels[i]);
}

/* Takes the reference of @config. -ENOMEM: that is gone, and the one before stays. */
static int apply(struct channel *channel, struct service_config *config)
{
        const struct balancing *balancing = balancing_of(channel, config);
        struct service_config *old = channel->service_config;
        bool is_other = balancing->policy != channel->balancing.policy;
        uint64_t reporting_ns = channel->balancing.reporting_ns;
        int r = is_other ? change_policy(channel, balancing->policy) : 0;

        if (r < 0) {
                service_config_unref(config);
                return r;
        }
        channel->balancing = *balancing;
        channel->service_config = config;
        set_throttling(channel);
        if (!channel->balancing.ejects)
                outliers_rest(channel);
        if (!is_other && reporting_ns != channel->balancing.reporting_ns)
                restart_reports(channel);
        if (!is_other && !health_check_is_same(old, config))
                restart_checks(channel);
        service_config_unref(old);
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
        return tiers_set_policy(channel, channel->balancing.policy, 0);
}

void channel_config_deinit(struct channel *channel)
{
        service_config_unref(channel->service_config);
        service_config_unref(channel->own_config);
        free(channel->config_text);
        free(channel->refused_text);
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

/* Both may be NULL. */
static bool is_same(const char *text, const char *other)
{
        if (!text || !other)
                return text == other;
        return strcmp(text, other) == 0;
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

/* @text is the last that was refused; NULL: none is. False: that is no news. Without memory it is news again. */
static bool set_refused(struct channel *channel, const char *text)
{
        bool is_news = !is_same(text, channel->refused_text);

        if (!is_news)
                return false;
        free(channel->refused_text);
        channel->refused_text = text ? strdup(text) : NULL;
        return true;
}

bool channel_config_on_lookup(struct channel *channel, const struct dns_txt *txt,
        char ret_problem[static CHANNEL_PROBLEM_BYTES])
{
        char problem[SERVICE_CONFIG_PROBLEM_BYTES] = "out of memory";
        bool says = txt->text || txt->answer.is_none;

        if (says && !is_same(txt->text, channel->config_text) && take(channel, txt, problem) < 0) {
                snprintf(ret_problem, CHANNEL_PROBLEM_BYTES, "its service config: %s", problem);
                if (!channel->config_is_known)
                        return false;
                if (set_refused(channel, txt->text))
                        note_channel(channel, QUOIT_LOG_WARNING,
                                "the service config of its name is refused, the one before it "
                                "stays: %s",
                                problem);
        } else if (says) {
                (void)set_refused(channel, NULL);
        }
        channel_config_settle(channel);
        return true;
}
