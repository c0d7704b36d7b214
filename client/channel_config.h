/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Which service config a channel's part goes by: what its program has given, or what its name's record of TXT says in its place (gRPC's
 * proposal A2), which may change. On the ring's thread, unless it says otherwise.
 */

#include <stdbool.h>

#include "client/channel.h"
#include "client/service_config.h"

struct dns_txt;

/* Begins the name of the record, in front of the channel's; and its text. */
#define CHANNEL_CONFIG_NAME_PREFIX "_grpc_config."
#define CHANNEL_CONFIG_TEXT_PREFIX "grpc_config="

/*
 * Said once, before it is attached: the program's @config, NULL: none, and its @options. 0; -EINVAL: bad options; -ENOMEM. Any thread.
 */
int channel_config_init(struct channel *channel, struct service_config *config,
        const quoit_channel_options *options);

/* All that is kept for it. Any thread. */
void channel_config_deinit(struct channel *channel);

/* Whether calls have what they go by: else they wait, with outcall_configure() to come. */
static inline bool channel_config_is_known(const struct channel *channel)
{
        return channel->config_is_known;
}

/* What a call that begins now goes by. NULL: nothing, or it is not known yet. */
static inline const struct service_config *channel_config(const struct channel *channel)
{
        return channel->config_is_known ? channel->service_config : NULL;
}

/* Calls go on by what there is: an answer of DNS that was waited for has not come. */
void channel_config_settle(struct channel *channel);

/*
 * What a lookup says. A text that is bad is refused: the config before it stays, and where there was none yet this is false, with
 * a @ret_problem. A lookup that failed leaves everything as it is; if there is no record, it is the program's again. If the policy is
 * another, the balancer begins anew: its on_addresses must follow.
 */
bool channel_config_on_lookup(struct channel *channel, const struct dns_txt *txt,
        char ret_problem[static CHANNEL_PROBLEM_BYTES]);
