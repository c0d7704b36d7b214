/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * How many connections each address has, for `connections_per_address_max`. An address is an IPv4 address, or an IPv6 /64: a
 * customer of a provider gets that many. Shared by all rings; a lock is taken when a connection opens and when it closes.
 */

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#include "link/workers.h"

struct endpoint;
struct ring;

/* One address that has connections, or a network with such addresses: an IPv4 /16 or an IPv6 /48. */
struct address_load;

#define ADDRESSES_KNOWN_MAX 1024

/* An address without connections that has finished a TLS handshake before. */
struct known_address {
        uint64_t prefix;
        uint64_t last; /* its last turn for a signature; 0: an empty slot */
};

struct addresses {
        pthread_mutex_t mutex;
        struct address_load *
                *buckets; /* a power of two; found by a hash that peers cannot predict */
        size_t bucket_count;
        size_t count; /* of addresses and networks in the buckets */
        uint64_t secret[2];
        struct known_address
                known[ADDRESSES_KNOWN_MAX]; /* found by hash; a newer one replaces an older one */
};

void addresses_init(struct addresses *addresses);

/* Draws the secret from @ring's random numbers. Before the first address. */
void addresses_draw(struct addresses *addresses, const struct ring *ring);

/* When no connection is left. */
void addresses_deinit(struct addresses *addresses);

/*
 * Counts a connection of @peer until addresses_leave() of *@ret_load. 0, with NULL if @peer has no such address (a unix
 * socket); -EMFILE: the address has @max connections already; -ENOMEM. Any thread.
 */
int addresses_enter(struct addresses *addresses, const struct endpoint *peer, uint32_t max,
        struct address_load **ret_load);

/* The address's turn with the threads for handshakes. Only they change it. */
struct turn *addresses_turn(struct address_load *load);

/* Any thread. Takes NULL. */
void addresses_leave(struct addresses *addresses, struct address_load *load);
