/* SPDX-License-Identifier: MIT */
#include "client/resolver.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/addresses.h"
#include "client/channel.h"
#include "client/client.h"
#include "core/resolve.h"

struct lookup {
        struct work work;
        struct mail mail; /* back to the ring */
        struct quoit_client *client;
        struct quoit_channel *channel; /* NULL: it is gone */
        atomic_bool is_forgotten; /* the same, for the resolver's thread */
        char *host;
        uint16_t port;
        unsigned count;
        struct endpoint addresses[QUOIT_CHANNEL_ADDRESSES_MAX];
        char problem[CHANNEL_PROBLEM_BYTES];
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

static void free_lookup(struct lookup *lookup)
{
        free(lookup->host);
        free(lookup);
}

/* On the ring. */
static void on_result(struct mail *mail)
{
        struct lookup *lookup = CONTAINER_OF(mail, struct lookup, mail);
        struct quoit_channel *channel = lookup->channel;

        lookup->client->lookups--;
        if (channel) {
                channel->lookup = NULL;
                addresses_on_lookup(channel, lookup->addresses, lookup->count, lookup->problem);
        }
        free_lookup(lookup);
}

/* On the resolver's thread. */
static uint64_t on_work(struct work *work, struct coders *coders)
{
        struct lookup *lookup = CONTAINER_OF(work, struct lookup, work);

        (void)coders;
        if (!atomic_load_explicit(&lookup->is_forgotten, memory_order_relaxed))
                lookup->count = resolve_tcp(lookup->host, lookup->port, lookup->addresses,
                        QUOIT_CHANNEL_ADDRESSES_MAX, lookup->problem, sizeof(lookup->problem));
        resolver_interleave(lookup->addresses, lookup->count);
        (void)client_post(lookup->client, &lookup->mail); /* the client waits for its lookups */
        return 0;
}

static struct lookup *new_lookup(struct quoit_channel *channel)
{
        struct lookup *lookup = calloc(1, sizeof(*lookup));

        if (!lookup)
                return NULL;
        lookup->work.ring = &channel->client->base->ring;
        lookup->work.on_work = on_work;
        lookup->mail.on_delivery = on_result;
        lookup->client = channel->client;
        lookup->channel = channel;
        lookup->port = channel->port;
        lookup->host = strdup(channel->host);
        if (lookup->host)
                return lookup;
        free_lookup(lookup);
        return NULL;
}

/* 0 or a negative errno. */
static int start_thread(struct quoit_client *client)
{
        int r = client->has_resolver ? 0 : workers_start(&client->resolver, 1, "resolver");

        client->has_resolver = r == 0;
        return r;
}

void resolver_start(struct quoit_channel *channel)
{
        struct quoit_client *client = channel->client;

        if (channel->lookup)
                return;
        channel->lookup = new_lookup(channel);
        if (!channel->lookup) {
                addresses_on_lookup(channel, NULL, 0, "out of memory");
                return;
        }
        if (start_thread(client) < 0) {
                free_lookup(channel->lookup);
                channel->lookup = NULL;
                addresses_on_lookup(channel, NULL, 0, "no thread for the resolver");
                return;
        }
        client->lookups++;
        workers_submit(&client->resolver, &channel->lookup->work);
}

void resolver_forget(struct quoit_channel *channel)
{
        if (!channel->lookup)
                return;
        channel->lookup->channel = NULL;
        atomic_store_explicit(&channel->lookup->is_forgotten, true, memory_order_relaxed);
        channel->lookup = NULL;
}

void resolver_end(struct quoit_client *client)
{
        if (client->has_resolver)
                workers_stop(&client->resolver);
        workers_deinit(&client->resolver);
}
