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

struct address_load {
        struct address_load *next; /* in the bucket */
        uint64_t prefix; /* of IPv6 the first half; of IPv4 the address, shifted */
        uint32_t connections;
        uint64_t turn;
};

void addresses_init(struct addresses *addresses)
{
        *addresses = (struct addresses){ 0 };
        pthread_mutex_init(&addresses->mutex, NULL);
}

void addresses_draw(struct addresses *addresses, const struct ring *ring)
{
        /* without randomness a peer can make its own connections slow to open, no more */
        (void)ring_random(ring, addresses->secret, sizeof(addresses->secret));
}

void addresses_deinit(struct addresses *addresses)
{
        free(addresses->buckets);
        pthread_mutex_destroy(&addresses->mutex);
}

/* Multiply and fold, both factors with a secret: nobody can choose addresses that share a bucket. */
static struct address_load **bucket_of(const struct addresses *addresses, uint64_t prefix)
{
        unsigned __int128 product =
                (unsigned __int128)(prefix ^ addresses->secret[0]) * (addresses->secret[1] | 1);

        return &addresses->buckets[((uint64_t)product ^ (uint64_t)(product >> 64)) &
                                   (addresses->bucket_count - 1)];
}

static void link_load(struct addresses *addresses, struct address_load *load)
{
        struct address_load **bucket = bucket_of(addresses, load->prefix);

        load->next = *bucket;
        *bucket = load;
}

/* Doubles the buckets when there are as many addresses. If there is no memory, the old ones stay in use. */
static int grow(struct addresses *addresses)
{
        struct addresses grown = *addresses;

        if (addresses->count < addresses->bucket_count)
                return 0;
        grown.bucket_count = addresses->bucket_count ? addresses->bucket_count * 2 : BUCKETS_MIN;
        grown.buckets = calloc(grown.bucket_count, sizeof(struct address_load *));
        if (!grown.buckets)
                return addresses->buckets ? 0 : -ENOMEM;
        for (size_t i = 0; i < addresses->bucket_count; i++) {
                struct address_load *load, *next;

                for (load = addresses->buckets[i]; load; load = next) {
                        next = load->next;
                        link_load(&grown, load);
                }
        }
        free(addresses->buckets);
        addresses->buckets = grown.buckets;
        addresses->bucket_count = grown.bucket_count;
        return 0;
}

static struct address_load *find(struct addresses *addresses, uint64_t prefix)
{
        struct address_load *load;

        for (load = addresses->bucket_count ? *bucket_of(addresses, prefix) : NULL; load;
                load = load->next) {
                if (load->prefix == prefix)
                        return load;
        }
        return NULL;
}

static struct address_load *add(struct addresses *addresses, uint64_t prefix)
{
        struct address_load *load;

        if (grow(addresses) < 0)
                return NULL;
        load = calloc(1, sizeof(*load));
        if (!load)
                return NULL;
        load->prefix = prefix;
        link_load(addresses, load);
        addresses->count++;
        return load;
}

/* False: it has no IP address. */
static bool prefix_of(const struct endpoint *endpoint, uint64_t *ret_prefix)
{
        const struct sockaddr_in6 *v6 = &endpoint->v6;
        sa_family_t family = endpoint->any.sa_family;
        uint32_t v4_bits;

        if (family != AF_INET && family != AF_INET6)
                return false;
        if (family == AF_INET6 && !IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
                memcpy(ret_prefix, &v6->sin6_addr, sizeof(*ret_prefix));
                /* each link has its own fe80::/64, whose last 32 bits are 0 */
                *ret_prefix ^= htobe64(v6->sin6_scope_id);
                return true;
        }
        if (family == AF_INET6)
                memcpy(&v4_bits, v6->sin6_addr.s6_addr + 12, sizeof(v4_bits));
        else
                v4_bits = endpoint->v4.sin_addr.s_addr;
        /* ::/64 plus four bytes is nobody's /64 */
        *ret_prefix = (uint64_t)v4_bits << 32;
        return true;
}

int addresses_enter(struct addresses *addresses, const struct endpoint *peer, uint32_t max,
        struct address_load **ret_load)
{
        struct address_load *load;
        uint64_t prefix;
        int r = 0;

        if (!prefix_of(peer, &prefix)) {
                *ret_load = NULL;
                return 0;
        }
        pthread_mutex_lock(&addresses->mutex);
        load = find(addresses, prefix);
        if (!load)
                load = add(addresses, prefix);
        if (!load)
                r = -ENOMEM;
        else if (load->connections >= max)
                r = -EMFILE;
        else
                load->connections++;
        pthread_mutex_unlock(&addresses->mutex);
        if (r == 0)
                *ret_load = load;
        return r;
}

uint64_t *addresses_turn(struct address_load *load)
{
        return &load->turn;
}

void addresses_leave(struct addresses *addresses, struct address_load *load)
{
        struct address_load **link;

        if (!load)
                return;
        pthread_mutex_lock(&addresses->mutex);
        if (--load->connections == 0) {
                for (link = bucket_of(addresses, load->prefix); *link != load;)
                        link = &(*link)->next;
                *link = load->next;
                addresses->count--;
                free(load);
        }
        pthread_mutex_unlock(&addresses->mutex);
}
