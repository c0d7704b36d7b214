/* SPDX-License-Identifier: MIT */
#include "client/health_check.h"

#include <stdio.h>

#include "client/balancer.h"
#include "client/channel.h"
#include "client/health_messages.h"
#include "client/json.h"
#include "client/pick_first.h"
#include "client/service_config.h"

/* NULL: none. */
static const struct json *service_named(const struct service_config *config)
{
        return config && config->health_check ? json_member(config->health_check, "serviceName")
                                              : NULL;
}

/* The name that is to be asked for. NULL: none. */
static const struct json *service_of(const struct channel *channel)
{
        return channel->balancing.policy == &pick_first ? NULL
                                                        : service_named(channel->service_config);
}

bool health_check_is_same(const struct service_config *one, const struct service_config *other)
{
        const struct json *name = service_named(one), *other_name = service_named(other);

        if (!name || !other_name)
                return name == other_name;
        return upb_StringView_IsEqual(name->text, other_name->text);
}

static void set_health(struct subchannel *subchannel, enum health health)
{
        if (subchannel->check.health == health)
                return;
        subchannel->check.health = health;
        if (health == HEALTH_SERVING || health == HEALTH_UNWATCHED)
                subchannel->why[0] = '\0';
        balancer_on_state(subchannel);
}

/* ---- answers ---- */

static void on_begun(struct feed *feed)
{
        set_health(feed->subchannel, HEALTH_ASKED);
}

static void on_message(struct feed *feed, const struct upb_Message *message)
{
        int32_t status = health_response_status(message);
        struct subchannel *subchannel = feed->subchannel;

        if (status == HEALTH_STATUS_SERVING) {
                set_health(subchannel, HEALTH_SERVING);
                return;
        }
        snprintf(subchannel->why, sizeof(subchannel->why),
                "the server says by its health check that it does not serve (status %d)", status);
        set_health(subchannel, HEALTH_NOT_SERVING);
}

static void on_unknown(struct feed *feed)
{
        set_health(feed->subchannel, HEALTH_UNWATCHED);
}

static void on_ended(struct feed *feed, const quoit_error *error)
{
        struct subchannel *subchannel = feed->subchannel;

        if (error)
                snprintf(subchannel->why, sizeof(subchannel->why),
                        "its health check ended with %.*s", (int)sizeof(subchannel->why) - 40,
                        error->text);
        set_health(subchannel, HEALTH_NOT_SERVING);
}

static struct upb_Message *make_request(struct feed *feed, struct upb_Arena *arena)
{
        return health_request_new(arena, service_of(feed->subchannel->channel)->text);
}

/* ---- life ---- */

void health_check_begin(struct subchannel *subchannel)
{
        static const struct feed_kind kind = {
                .method = &health_watch,
                .make_request = make_request,
                .on_begun = on_begun,
                .on_message = on_message,
                .on_unknown = on_unknown,
                .on_ended = on_ended,
        };

        if (!service_of(subchannel->channel))
                return;
        subchannel->check.health = HEALTH_ASKED;
        feed_begin(&subchannel->check.watch, &kind, subchannel);
}

void health_check_end(struct subchannel *subchannel)
{
        subchannel->check.health = HEALTH_UNWATCHED;
        feed_end(&subchannel->check.watch);
}

void health_check_restart(struct subchannel *subchannel)
{
        if (subchannel->state != SUBCHANNEL_READY)
                return;
        health_check_end(subchannel);
        health_check_begin(subchannel);
        balancer_on_state(subchannel);
}
