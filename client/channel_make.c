/* SPDX-License-Identifier: MIT */

/* What is fixed of a channel: made of its options, and freed. */

#include "client/channel.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <quoit/version.h>

#include "client/addresses.h"
#include "client/channel_config.h"
#include "client/client.h"
#include "client/credentials.h"
#include "client/fallbacks.h"
#include "client/handle.h"
#include "client/proxy.h"
#include "client/srv.h"
#include "client/target.h"
#include "transport/tls_client_config.h"

/* Of its memory: what is fixed of it too. */
static void channel_deinit(struct channel *channel)
{
        for (unsigned i = 0; i < channel->count; i++)
                subchannel_free(channel->subchannels[i]);
        tiers_deinit(channel);
        channel_config_deinit(channel);
        free(channel->states);
        free(channel->fallbacks);
        free(channel->host);
        free(channel->dns_server);
        free(channel->authority);
        free(channel->user_agent);
        free(channel->server_name);
        free(channel->proxy_request);
        tls_client_config_unref(channel->tls);
        quoit_call_credentials_free(channel->credentials);
        free(channel);
}

void channel_free(struct channel *channel)
{
        quoit_channel *handle = channel->handle;

        list_remove(&channel->stirred);
        channel_deinit(channel);
        if (atomic_fetch_sub(&handle->parts_left, 1) == 1)
                channel_handle_free(handle);
}

/* "MINE quoit/VERSION" */
static char *make_user_agent(const char *mine)
{
        char *text;

        if (asprintf(&text, "%s%squoit/" QUOIT_VERSION, mine ? mine : "", mine ? " " : "") < 0)
                return NULL;
        return text;
}

/* Those that the options have, beside the target's. 0 or a negative errno. */
static int set_fallbacks(
        struct channel *channel, const struct target *target, const quoit_channel_options *options)
{
        struct fallbacks fallbacks;
        int r = fallbacks_parse(options, target->count, &fallbacks);

        if (r < 0 || fallbacks.count == 0)
                return r;
        channel->fallbacks = calloc(fallbacks.count, sizeof(*channel->fallbacks));
        if (!channel->fallbacks)
                return -ENOMEM;
        memcpy(channel->fallbacks, fallbacks.addresses,
                fallbacks.count * sizeof(*channel->fallbacks));
        channel->fallback_count = fallbacks.count;
        channel->fallback_tiers = fallbacks.tiers;
        return 0;
}

/* As the target has them. 0 or a negative errno. */
static int set_addresses(
        struct channel *channel, const struct target *target, const quoit_channel_options *options)
{
        struct address addresses[QUOIT_CHANNEL_ADDRESSES_MAX];
        int r = set_fallbacks(channel, target, options);

        for (unsigned i = 0; i < target->count; i++)
                addresses[i] = (struct address){ .endpoint = target->addresses[i] };
        return r < 0 ? r : addresses_set(channel, addresses, target->count);
}

/* Where the caller sets none: a name of a service is asked for as its domain. */
static const char *authority_of(const char *authority, const quoit_channel_options *options)
{
        if (options->authority)
                return options->authority;
        return options->looks_up_srv ? srv_domain(authority) : authority;
}

/* What is fixed of it, and room for its addresses, which will be those of @way. NULL: no memory. */
static struct channel *channel_alloc(
        const struct target *way, const char *authority, const quoit_channel_options *options)
{
        bool has_name = way->count == 0, has_fallbacks = options->fallback_target_count > 0;
        unsigned count_max = has_name || has_fallbacks ? QUOIT_CHANNEL_ADDRESSES_MAX : way->count;
        struct channel *channel =
                calloc(1, sizeof(*channel) + count_max * sizeof(*channel->subchannels));

        if (!channel)
                return NULL;
        channel->count_max = count_max;
        list_init(&channel->lost);
        tiers_init(channel);
        timer_init(&channel->lookup_retry);
        timer_init(&channel->outlier_look);
        timer_init(&channel->lookup_due);
        timer_init(&channel->rest);
        channel->connections_max = options->connections_max;
        channel->fails_when_full = options->fails_when_full;
        channel->port = way->port;
        channel->looks_up_srv = options->looks_up_srv;
        channel->host = has_name ? strdup(way->host) : NULL;
        channel->dns_server = way->dns_server[0] ? strdup(way->dns_server) : NULL;
        channel->authority = strdup(authority_of(authority, options));
        channel->user_agent = make_user_agent(options->user_agent);
        if (channel->authority && channel->user_agent && (channel->host || !has_name) &&
                (channel->dns_server || !way->dns_server[0]))
                return channel;
        channel_deinit(channel);
        return NULL;
}

/* The host of an authority: "HOST:PORT", "[HOST]:PORT", "HOST". NULL: no memory. */
static char *host_of(const char *authority)
{
        bool has_brackets = *authority == '[';

        return has_brackets ? strndup(authority + 1, strcspn(authority + 1, "]"))
                            : strndup(authority, strcspn(authority, ":"));
}

static int set_tls(
        struct channel *channel, const quoit_channel_tls *options, struct tls_client_config *tls)
{
        channel->server_name =
                options->server_name ? strdup(options->server_name) : host_of(channel->authority);
        if (!channel->server_name)
                return -ENOMEM;
        channel->tls = tls_client_config_ref(tls);
        return 0;
}

/* A socket of this machine, which nobody else can read. */
static bool is_local(const struct endpoint *endpoint)
{
        return endpoint->any.sa_family == AF_UNIX;
}

/* So are all that its calls may go to. */
static bool stays_local(const struct channel *channel, const struct target *target)
{
        bool is = target->count > 0 && is_local(&target->addresses[0]); /* they are of one kind */

        for (unsigned i = 0; is && i < channel->fallback_count; i++)
                is = is_local(&channel->fallbacks[i].endpoint);
        return is;
}

static void init(struct channel *channel)
{
        channel->replay.bytes_max = channel->client->limits.replay_channel_bytes_max;
        channel->keepalive_ms = channel->client->limits.keepalive_ms;
        list_init(&channel->link);
        list_init(&channel->stirred);
        list_init(&channel->calls);
        list_init(&channel->queue);
}

/* The proxy knows the server's name, not we: no records are looked up for it. */
static int set_proxy(struct channel *channel, const struct proxy *proxy)
{
        if (!proxy->request)
                return 0;
        channel->looks_up_srv = false;
        channel->proxy_request = strdup(proxy->request);
        return channel->proxy_request ? 0 : -ENOMEM;
}

int channel_new(struct client *client, const struct target *target, const struct proxy *proxy,
        const quoit_channel_options *options, struct tls_client_config *tls,
        struct channel **ret_channel)
{
        const struct target *way = proxy->request ? &proxy->target : target;
        struct channel *channel = channel_alloc(way, target->authority, options);
        int r;

        if (!channel)
                return -ENOMEM;
        r = set_addresses(channel, way, options);
        if (r == 0)
                r = set_proxy(channel, proxy);
        if (r == 0 && tls)
                r = set_tls(channel, options->tls, tls);
        if (r < 0) {
                channel_deinit(channel);
                return r;
        }
        channel->client = client;
        channel->credentials = credentials_ref(options->call_credentials);
        channel->keeps_secrets =
                tls || options->insecure_credentials || stays_local(channel, target);
        init(channel);
        *ret_channel = channel;
        return 0;
}
