/* SPDX-License-Identifier: MIT */
#include "client/resolver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/addresses.h"
#include "client/channel.h"
#include "client/channel_config.h"
#include "client/client.h"
#include "client/dns.h"
#include "client/srv.h"
#include "core/clock.h"

struct lookup {
        struct channel *channel;
        struct dns dns;
        struct timer limit;
        struct timer patience; /* some answers wait for others */
        struct dns_srv srv;
        struct dns_txt txt;
        bool wants_txt; /* it is asked for, and not taken */
        struct dns_host
                *hosts; /* the name, or the targets of @srv in its order; NULL: not asked for yet */
        unsigned host_count;
        unsigned told; /* how many addresses were here then */
};

void resolver_interleave(struct endpoint *addresses, unsigned count)
{
        for (unsigned i = 1; i + 1 < count; i++) {
                unsigned other = i;
                struct endpoint moved;

                while (other < count &&
                        addresses[other].any.sa_family == addresses[i - 1].any.sa_family)
                        other++;
                if (other == count)
                        return;
                moved = addresses[other];
                memmove(addresses + i + 1, addresses + i, (other - i) * sizeof(*addresses));
                addresses[i] = moved;
        }
}

static struct timers *timers_of(const struct lookup *lookup)
{
        return &lookup->dns.ring->timers;
}

/* ---- the end ---- */

static void end_lookup(struct lookup *lookup)
{
        timer_cancel(timers_of(lookup), &lookup->limit);
        timer_cancel(timers_of(lookup), &lookup->patience);
        dns_close(&lookup->dns);
        lookup->channel->lookup = NULL;
        dns_txt_deinit(&lookup->txt);
        free(lookup->hosts);
        free(lookup);
}

static void fail(struct lookup *lookup, const char *problem)
{
        struct channel *channel = lookup->channel;
        bool is_news = lookup->told == 0;

        end_lookup(lookup);
        if (is_news)
                addresses_on_lookup(channel, NULL, 0, problem);
}

/* ---- what was found ---- */

static bool has_hosts(const struct lookup *lookup)
{
        for (unsigned i = 0; i < lookup->host_count; i++) {
                if (!dns_host_is_whole(lookup->hosts + i))
                        return false;
        }
        return lookup->hosts != NULL;
}

static bool is_whole(const struct lookup *lookup)
{
        return has_hosts(lookup) && (!lookup->wants_txt || lookup->txt.answer.is_here);
}

static unsigned count_addresses(const struct lookup *lookup)
{
        unsigned count = 0;

        for (unsigned i = 0; i < lookup->host_count; i++)
                count += dns_host_count(lookup->hosts + i);
        return count;
}

/* Why there are no addresses: of the most preferred one. */
static const char *problem_of(const struct lookup *lookup)
{
        return dns_host_problem(lookup->hosts);
}

/* Behind the @count that are there already; as many as there is room for. How many there are then. */
static unsigned collect_host(const struct lookup *lookup, unsigned index, unsigned tier,
        struct address *ret_addresses, unsigned count)
{
        const struct dns_host *host = lookup->hosts + index;
        struct endpoint endpoints[DNS_FAMILIES * DNS_ADDRESSES_MAX];
        unsigned found = 0;

        for (unsigned i = 0; i < DNS_FAMILIES; i++) {
                const struct dns_addresses *addresses = host->families + i;

                memcpy(endpoints + found, addresses->list, addresses->count * sizeof(*endpoints));
                found += addresses->count;
        }
        resolver_interleave(endpoints, found);
        for (unsigned i = 0; i < found && count < QUOIT_CHANNEL_ADDRESSES_MAX; i++)
                ret_addresses[count++] = (struct address){
                        .endpoint = endpoints[i],
                        .tier = tier,
                        .share = lookup->srv.count > 0
                                         ? srv_share(lookup->srv.services + index, found)
                                         : 0,
                };
        return count;
}

/* A tier for each priority that has some; the last one takes what is more than there can be. */
static unsigned collect(const struct lookup *lookup, struct address *ret_addresses)
{
        unsigned tiers_max = CHANNEL_TIERS_MAX - lookup->channel->fallback_tiers;
        const struct dns_service *services = lookup->srv.services;
        unsigned count = 0, tier = 0, before = 0;

        for (unsigned i = 0; i < lookup->host_count; i++) {
                if (i > 0 && services[i].priority != services[i - 1].priority) {
                        tier += count > before && tier + 1 < tiers_max;
                        before = count;
                }
                count = collect_host(lookup, i, tier, ret_addresses, count);
        }
        return count;
}

/* ---- reports ---- */

/* What calls go by, before there is anywhere that they can go. False: there is nothing that they can go by, and @lookup has ended. */
static bool take_config(struct lookup *lookup)
{
        struct channel *channel = lookup->channel;
        char problem[CHANNEL_PROBLEM_BYTES];

        if (!lookup->wants_txt || !lookup->txt.answer.is_here) {
                channel_config_settle(channel);
                return true;
        }
        lookup->wants_txt = false;
        lookup->told = 0; /* who balances must hear of the addresses */
        if (channel_config_on_lookup(channel, &lookup->txt, problem))
                return true;
        fail(lookup, problem);
        return false;
}

static void tell_addresses(struct lookup *lookup)
{
        struct channel *channel = lookup->channel;
        struct address addresses[QUOIT_CHANNEL_ADDRESSES_MAX];
        unsigned count = collect(lookup, addresses), found = count_addresses(lookup);
        bool is_news = found > lookup->told;

        lookup->told = found;
        if (is_whole(lookup))
                end_lookup(lookup);
        if (is_news)
                addresses_on_lookup(channel, addresses, count, NULL);
}

/* It ends, unless an answer is still awaited. */
static void tell(struct lookup *lookup)
{
        if (take_config(lookup))
                tell_addresses(lookup);
}

static void on_patience(struct timer *timer)
{
        tell(CONTAINER_OF(timer, struct lookup, patience));
}

static void on_limit(struct timer *timer)
{
        struct lookup *lookup = CONTAINER_OF(timer, struct lookup, limit);
        char problem[CHANNEL_PROBLEM_BYTES];

        snprintf(problem, sizeof(problem), "no server has answered within %.1f s",
                (double)lookup->channel->client->limits.resolution_ms / 1000);
        fail(lookup, problem);
}

/* ---- questions ---- */

/* False: that has ended the lookup. */
static bool make_hosts(struct lookup *lookup, unsigned count)
{
        lookup->hosts = calloc(count, sizeof(*lookup->hosts));
        if (!lookup->hosts) {
                fail(lookup, "out of memory");
                return false;
        }
        lookup->host_count = count;
        return true;
}

/* The name itself. */
static void ask_host(struct lookup *lookup)
{
        const struct channel *channel = lookup->channel;

        if (make_hosts(lookup, 1))
                dns_ask_host(&lookup->dns, lookup->hosts, channel->host, channel->port);
}

static uint64_t draw(void *user)
{
        return ring_jitter(user);
}

/* Names of targets are whole (RFC 2782): no search domain is tried behind them. */
static void ask_targets(struct lookup *lookup)
{
        struct dns_srv *srv = &lookup->srv;

        srv_order(srv->services, srv->count, draw, lookup->dns.ring);
        if (!make_hosts(lookup, srv->count))
                return;
        for (unsigned i = 0; i < srv->count; i++) {
                char name[DNS_NAME_BYTES + 1];

                snprintf(name, sizeof(name), "%s.", srv->services[i].host);
                dns_ask_host(&lookup->dns, lookup->hosts + i, name, srv->services[i].port);
        }
}

/* SRV is answered. */
static void go_on(struct lookup *lookup)
{
        const struct dns_srv *srv = &lookup->srv;
        const char *host = lookup->channel->host;

        if (srv->count > 0)
                ask_targets(lookup);
        else if (srv->is_refused)
                fail(lookup, "its SRV record says that nobody offers the service");
        else if (srv->answer.is_none && srv_domain(host) == host)
                ask_host(lookup);
        else
                fail(lookup, srv->answer.is_none ? "it has no SRV record" : srv->answer.problem);
}

static void on_answer(struct dns *dns)
{
        struct lookup *lookup = CONTAINER_OF(dns, struct lookup, dns);

        if (!lookup->hosts && lookup->srv.answer.is_here)
                go_on(lookup);
        else if (has_hosts(lookup) && count_addresses(lookup) == 0)
                fail(lookup, problem_of(lookup));
        else if (is_whole(lookup))
                tell(lookup);
        else if (count_addresses(lookup) > 0 && !timer_is_running(&lookup->patience))
                timer_start(timers_of(lookup), &lookup->patience,
                        ring_now_ns(dns->ring) + RESOLVER_PATIENCE_MS * NS_PER_MS, on_patience);
}

static void ask_srv(struct lookup *lookup)
{
        const char *host = lookup->channel->host;
        char name[DNS_NAME_BYTES + sizeof(SRV_PREFIX)];

        snprintf(name, sizeof(name), "%s%s", srv_domain(host) == host ? SRV_PREFIX : "", host);
        dns_ask_srv(&lookup->dns, &lookup->srv, name);
}

static void ask_config(struct lookup *lookup)
{
        const struct channel *channel = lookup->channel;
        const char *host = channel->looks_up_srv ? srv_domain(channel->host) : channel->host;
        char name[DNS_NAME_BYTES + sizeof(CHANNEL_CONFIG_NAME_PREFIX)];

        snprintf(name, sizeof(name), "%s%s", CHANNEL_CONFIG_NAME_PREFIX, host);
        lookup->wants_txt = true;
        dns_ask_txt(&lookup->dns, &lookup->txt, name, CHANNEL_CONFIG_TEXT_PREFIX);
}

/* ---- the beginning ---- */

static struct lookup *make(struct channel *channel)
{
        struct client *client = channel->client;
        struct ring *ring = channel_ring(channel);
        struct lookup *lookup = malloc(sizeof(*lookup));

        if (!lookup)
                return NULL;
        lookup->channel = channel;
        lookup->srv.count = 0;
        lookup->txt.text = NULL;
        lookup->wants_txt = false;
        lookup->hosts = NULL;
        lookup->host_count = 0;
        lookup->told = 0;
        timer_init(&lookup->limit);
        timer_init(&lookup->patience);
        dns_open(&lookup->dns, ring, channel->dns_server, &client->dns_sockets, on_answer);
        timer_start(&ring->timers, &lookup->limit,
                clock_after_limit_ns(ring_now_ns(ring), client->limits.resolution_ms), on_limit);
        return lookup;
}

/* The last of it may end the lookup. */
static void ask(struct lookup *lookup)
{
        if (lookup->channel->looks_up_config)
                ask_config(lookup);
        if (lookup->channel->looks_up_srv)
                ask_srv(lookup);
        else
                ask_host(lookup);
}

void resolver_start(struct channel *channel)
{
        if (channel->lookup && channel->lookup->told == 0)
                return;
        resolver_forget(channel);
        channel->lookup = make(channel);
        if (!channel->lookup)
                addresses_on_lookup(channel, NULL, 0, "out of memory");
        else
                ask(channel->lookup);
}

void resolver_forget(struct channel *channel)
{
        if (channel->lookup)
                end_lookup(channel->lookup);
}
