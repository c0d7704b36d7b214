/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * How many connections each address has, for `connections_per_address_max`: an IPv4 address, or the /64 of an IPv6 one,
 * which is what one customer gets. Shared by all rings; a connection takes a lock when it comes and when it goes.
 */

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#include "link/workers.h"

struct endpoint;
struct ring;

/* One address with connections, or a network of such: an IPv4 /16 or an IPv6 /48. There are never more addresses than connections. */
struct address_load;

#define ADDRESSES_KNOWN_MAX 1024

/* An address without connections that has finished a handshake of TLS. */
struct known_address {
        uint64_t prefix;
        uint64_t last; /* its last turn for a signature; 0: an empty slot */
};

struct addresses {
        pthread_mutex_t mutex;
        struct address_load **buckets; /* a power of two of them, by a hash that peers can't know */
        size_t bucket_count;
        size_t count; /* of addresses and networks that are in them */
        uint64_t secret[2];
        struct known_address
                known[ADDRESSES_KNOWN_MAX]; /* by hash; a newer one takes the slot of an older */
};

void addresses_init(struct addresses *addresses);

/* The secret, by @ring's chance. Before the first comes. */
void addresses_draw(struct addresses *addresses, const struct ring *ring);

/* No connection is left. */
void addresses_deinit(struct addresses *addresses);

/*
 * Counts a connection of @peer, in *@ret_load until addresses_leave(). 0; NULL and 0 where it has no such address (a
 * unix socket); -EMFILE: it has @max already; -ENOMEM. Any thread.
 */
int addresses_enter(struct addresses *addresses, const struct endpoint *peer, uint32_t max,
        struct address_load **ret_load);

/* Its turn with the threads for handshakes, which is theirs to change. */
struct turn *addresses_turn(struct address_load *load);

/* Any thread. Takes NULL. */
void addresses_leave(struct addresses *addresses, struct address_load *load);
