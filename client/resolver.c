/* SPDX-License-Identifier: MIT */
#include "client/resolver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/addresses.h"
#include "client/channel.h"
#include "client/client.h"
#include "client/dns.h"
#include "core/clock.h"

struct lookup {
        struct channel *channel;
        struct dns dns;
        struct timer limit;
        struct timer patience; /* one family waits for the other */
        unsigned told; /* addresses, of one family */
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

/* ---- reports ---- */

static unsigned collect(const struct dns *dns, struct endpoint *ret_addresses)
{
        unsigned count = 0;

        for (unsigned i = 0; i < DNS_FAMILIES; i++) {
                const struct dns_answer *answer = dns->answers + i;

                memcpy(ret_addresses + count, answer->addresses,
                        answer->count * sizeof(*ret_addresses));
                count += answer->count;
        }
        resolver_interleave(ret_addresses, count);
        return count < QUOIT_CHANNEL_ADDRESSES_MAX ? count : QUOIT_CHANNEL_ADDRESSES_MAX;
}

/* It ends, unless an answer is still awaited. */
static void tell(struct lookup *lookup, bool is_whole)
{
        struct channel *channel = lookup->channel;
        struct endpoint addresses[DNS_FAMILIES * DNS_ADDRESSES_MAX];
        unsigned count = collect(&lookup->dns, addresses);
        bool is_news = count > lookup->told;

        lookup->told = count;
        if (is_whole)
                end_lookup(lookup);
        if (is_news)
                addresses_on_lookup(channel, addresses, count, NULL);
}

static void on_patience(struct timer *timer)
{
        tell(CONTAINER_OF(timer, struct lookup, patience), false);
}

static void on_limit(struct timer *timer)
{
        struct lookup *lookup = CONTAINER_OF(timer, struct lookup, limit);
        char problem[CHANNEL_PROBLEM_BYTES];

        snprintf(problem, sizeof(problem), "no server has answered within %.1f s",
                (double)lookup->channel->client->limits.resolution_ms / 1000);
        fail(lookup, problem);
}

static void on_answer(struct dns *dns)
{
        struct lookup *lookup = CONTAINER_OF(dns, struct lookup, dns);
        const struct dns_answer *answers = dns->answers;
        bool is_whole = answers[DNS_V4].is_here && answers[DNS_V6].is_here;
        bool is_empty = answers[DNS_V4].count + answers[DNS_V6].count == 0;

        if (is_whole && is_empty)
                fail(lookup, dns_problem(dns));
        else if (is_whole)
                tell(lookup, true);
        else if (!is_empty)
                timer_start(timers_of(lookup), &lookup->patience,
                        ring_now_ns(dns->ring) + RESOLVER_PATIENCE_MS * NS_PER_MS, on_patience);
}

/* ---- the beginning ---- */

void resolver_start(struct channel *channel)
{
        struct client *client = channel->client;
        struct ring *ring = channel_ring(channel);
        struct lookup *lookup = channel->lookup;

        if (lookup && lookup->told == 0)
                return;
        resolver_forget(channel);
        lookup = malloc(sizeof(*lookup));
        if (!lookup) {
                addresses_on_lookup(channel, NULL, 0, "out of memory");
                return;
        }
        lookup->channel = channel;
        lookup->told = 0;
        timer_init(&lookup->limit);
        timer_init(&lookup->patience);
        channel->lookup = lookup;
        dns_open(&lookup->dns, ring, channel->host, channel->port, channel->dns_server,
                &client->dns_sockets, on_answer);
        timer_start(&ring->timers, &lookup->limit,
                clock_after_limit_ns(ring_now_ns(ring), client->limits.resolution_ms), on_limit);
}

void resolver_forget(struct channel *channel)
{
        if (channel->lookup)
                end_lookup(channel->lookup);
}
