/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * How many connections each address has, for `connections_per_address_max`. An address is an IPv4 address, or an IPv6 /64,
 * which is what one customer gets. Shared by all rings: a connection takes a lock when it opens and when it closes.
 */

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

struct endpoint;
struct ring;

/* One address that has connections. */
struct address_load;

struct addresses {
        pthread_mutex_t mutex;
        struct address_load **buckets; /* a power of two; the hash has a secret */
        size_t bucket_count;
        size_t count; /* of addresses */
        uint64_t secret[2];
};

void addresses_init(struct addresses *addresses);

/* Draws the secret from @ring's randomness. Before the first addresses_enter(). */
void addresses_draw(struct addresses *addresses, const struct ring *ring);

/* After all connections have left. */
void addresses_deinit(struct addresses *addresses);

/*
 * Counts a connection of @peer. *@ret_load is for addresses_leave(); NULL: it has no IP address (a unix socket). 0; -EMFILE:
 * the address has @max connections already; -ENOMEM. Any thread.
 */
int addresses_enter(struct addresses *addresses, const struct endpoint *peer, uint32_t max,
        struct address_load **ret_load);

/* Its turn with the threads for handshakes, see workers_submit_fairly(). */
uint64_t *addresses_turn(struct address_load *load);

/* Any thread. Takes NULL. */
void addresses_leave(struct addresses *addresses, struct address_load *load);
