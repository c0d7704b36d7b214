/* SPDX-License-Identifier: MIT */
#include "server/addresses.h"

#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/endpoint.h"
#include "core/ring.h"

#define BUCKETS_MIN 64

/* IPv6: the first 64 bits; IPv4: zeros, then its 32 bits. */
struct prefix {
        uint64_t bits;
        bool is_network;
};

struct address_load {
        struct address_load *next; /* in the bucket */
        struct address_load *network; /* NULL: it is a network itself */
        struct prefix prefix;
        uint32_t connections;
        struct turn turn;
};

void addresses_init(struct addresses *addresses)
{
        *addresses = (struct addresses){ 0 };
        pthread_mutex_init(&addresses->mutex, NULL);
}

void addresses_draw(struct addresses *addresses, const struct ring *ring)
{
        /* without random numbers a peer could only make its own connections slow to open */
        (void)ring_random(ring, addresses->secret, sizeof(addresses->secret));
}

void addresses_deinit(struct addresses *addresses)
{
        free(addresses->buckets);
        pthread_mutex_destroy(&addresses->mutex);
}

/* Multiply and fold, with a secret in both factors: a peer cannot choose addresses that share a bucket. */
static uint64_t hash_of(const struct addresses *addresses, const struct prefix *prefix)
{
        unsigned __int128 product = (unsigned __int128)(prefix->bits ^ addresses->secret[0]) *
                                    (addresses->secret[1] | 1);

        return (uint64_t)product ^ (uint64_t)(product >> 64) ^ prefix->is_network;
}

static struct address_load **bucket_of(
        const struct addresses *addresses, const struct prefix *prefix)
{
        return &addresses->buckets[hash_of(addresses, prefix) & (addresses->bucket_count - 1)];
}

static void link_load(struct addresses *addresses, struct address_load *load)
{
        struct address_load **bucket = bucket_of(addresses, &load->prefix);

        load->next = *bucket;
        *bucket = load;
}

/* Doubles the buckets when there are as many addresses. Without memory the old ones stay in use. */
static int grow(struct addresses *addresses)
{
        struct address_load **old = addresses->buckets;
        size_t old_count = addresses->bucket_count;
        size_t count = old_count ? old_count * 2 : BUCKETS_MIN;
        struct address_load **buckets;

        if (addresses->count < old_count)
                return 0;
        buckets = calloc(count, sizeof(*buckets));
        if (!buckets)
                return old ? 0 : -ENOMEM;
        addresses->buckets = buckets;
        addresses->bucket_count = count;
        for (size_t i = 0; i < old_count; i++) {
                struct address_load *load, *next;

                for (load = old[i]; load; load = next) {
                        next = load->next;
                        link_load(addresses, load);
                }
        }
        free(old);
        return 0;
}

static struct address_load *find(struct addresses *addresses, const struct prefix *prefix)
{
        struct address_load *load;

        for (load = addresses->bucket_count ? *bucket_of(addresses, prefix) : NULL; load;
                load = load->next) {
                if (load->prefix.bits == prefix->bits &&
                        load->prefix.is_network == prefix->is_network)
                        return load;
        }
        return NULL;
}

/* ---- known addresses without connections ---- */

static struct known_address *slot_of(struct addresses *addresses, const struct prefix *prefix)
{
        return &addresses->known[hash_of(addresses, prefix) % ADDRESSES_KNOWN_MAX];
}

static void remember(struct addresses *addresses, const struct address_load *load)
{
        if (load->turn.is_known && load->turn.last[0] > 0)
                *slot_of(addresses, &load->prefix) =
                        (struct known_address){ load->prefix.bits, load->turn.last[0] };
}

static void recall(struct addresses *addresses, struct address_load *load)
{
        const struct known_address *slot = slot_of(addresses, &load->prefix);

        load->turn.is_known =
                !load->prefix.is_network && slot->last > 0 && slot->prefix == load->prefix.bits;
        load->turn.last[0] = load->turn.is_known ? slot->last : 0;
}

/* ---- connections ---- */

static struct address_load *add(struct addresses *addresses, const struct prefix *prefix)
{
        struct address_load *load;

        if (grow(addresses) < 0)
                return NULL;
        load = calloc(1, sizeof(*load));
        if (!load)
                return NULL;
        load->prefix = *prefix;
        recall(addresses, load);
        link_load(addresses, load);
        addresses->count++;
        return load;
}

static void leave(struct addresses *addresses, struct address_load *load)
{
        struct address_load **link;

        if (--load->connections > 0)
                return;
        for (link = bucket_of(addresses, &load->prefix); *link != load;)
                link = &(*link)->next;
        *link = load->next;
        addresses->count--;
        remember(addresses, load);
        free(load);
}

/* NULL: no memory. */
static struct address_load *enter(struct addresses *addresses, const struct prefix *prefix)
{
        struct address_load *load = find(addresses, prefix);

        if (!load)
                load = add(addresses, prefix);
        if (load)
                load->connections++;
        return load;
}

/* The network's and the address's. False: the peer has no address, as on a unix socket. */
static bool prefixes_of(const struct endpoint *endpoint, struct prefix ret_prefixes[2])
{
        const struct sockaddr_in6 *v6 = &endpoint->v6;
        sa_family_t family = endpoint->any.sa_family;
        uint32_t v4_bits;
        uint64_t bits;

        if (family != AF_INET && family != AF_INET6)
                return false;
        ret_prefixes[0].is_network = true;
        ret_prefixes[1].is_network = false;
        if (family == AF_INET6 && !IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
                memcpy(&bits, &v6->sin6_addr, sizeof(bits));
                /* link-local: fe80::/64 exists on each link; the link's number takes the place of the zeros in it */
                ret_prefixes[1].bits = bits ^ htobe64(v6->sin6_scope_id);
                ret_prefixes[0].bits = bits & htobe64(~(uint64_t)0xffff);
                return true;
        }
        if (family == AF_INET6)
                memcpy(&v4_bits, v6->sin6_addr.s6_addr + 12, sizeof(v4_bits));
        else
                v4_bits = endpoint->v4.sin_addr.s_addr;
        /* as of 0:0:A:B::/64, which no IPv6 peer has */
        ret_prefixes[1].bits = (uint64_t)v4_bits << 32;
        ret_prefixes[0].bits = (uint64_t)(v4_bits & htonl(0xffff0000)) << 32;
        return true;
}

static int enter_both(struct addresses *addresses, const struct prefix prefixes[2], uint32_t max,
        struct address_load **ret_load)
{
        struct address_load *network = enter(addresses, prefixes + 0);
        struct address_load *load = network ? enter(addresses, prefixes + 1) : NULL;
        int r = 0;

        if (!load)
                r = -ENOMEM;
        else if (load->connections > max)
                r = -EMFILE;
        if (r < 0) {
                if (load)
                        leave(addresses, load);
                if (network)
                        leave(addresses, network);
                return r;
        }
        if (!load->network) {
                load->network = network;
                load->turn.network = &network->turn;
        }
        *ret_load = load;
        return 0;
}

int addresses_enter(struct addresses *addresses, const struct endpoint *peer, uint32_t max,
        struct address_load **ret_load)
{
        struct prefix prefixes[2];
        int r;

        if (!prefixes_of(peer, prefixes)) {
                *ret_load = NULL;
                return 0;
        }
        pthread_mutex_lock(&addresses->mutex);
        r = enter_both(addresses, prefixes, max, ret_load);
        pthread_mutex_unlock(&addresses->mutex);
        return r;
}

struct turn *addresses_turn(struct address_load *load)
{
        return &load->turn;
}

void addresses_leave(struct addresses *addresses, struct address_load *load)
{
        struct address_load *network;

        if (!load)
                return;
        pthread_mutex_lock(&addresses->mutex);
        network = load->network;
        leave(addresses, load);
        leave(addresses, network);
        pthread_mutex_unlock(&addresses->mutex);
}
