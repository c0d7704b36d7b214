/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One name's addresses by c-ares, on a ring and without a thread: both families at the same time. As the system is set up:
 * /etc/hosts, the servers and search domains of /etc/resolv.conf, in the order of /etc/nsswitch.conf; its other modules, mDNS for one,
 * are not asked. The files are read when it begins. Neither SRV nor TXT is asked for. Only dns.c knows c-ares.
 */

#include <stdbool.h>
#include <stdint.h>

#include "core/endpoint.h"
#include "core/ring.h"
#include "core/timer.h"

struct ares_channeldata;

#define DNS_ADDRESSES_MAX 64 /* of one family; further ones are dropped */

/* In the order in which they are asked for, and preferred. */
enum dns_family {
        DNS_V6,
        DNS_V4,
        DNS_FAMILIES,
};

struct dns_answer {
        struct dns *dns;
        bool is_here;
        unsigned count;
        struct endpoint addresses[DNS_ADDRESSES_MAX]; /* in the system's order (RFC 6724) */
        const char *problem; /* why there are none, static; NULL: there are some */
};

struct dns {
        struct ring *ring;
        struct ares_channeldata *ares; /* NULL: it is not needed, or could not begin */
        uint16_t port;
        struct list sockets; /* of c-ares' */
        unsigned *sockets_open; /* of all that its owner has, until they are watched no more */
        struct timer timer; /* c-ares' next step */
        struct deferred telling;
        struct dns_answer answers[DNS_FAMILIES];
        void (*on_answer)(struct dns *dns);
};

/*
 * Asks for the addresses of @host, which get @port. @server: "ADDRESS:PORT", "[ADDRESS]:PORT", in place of the system's; NULL: those.
 * Both are only read. @on_answer runs in a dispatch phase, once for each answer or for both together, and may close @dns. The ring may
 * not be closed before *@sockets_open is 0 again.
 */
void dns_open(struct dns *dns, struct ring *ring, const char *host, uint16_t port,
        const char *server, unsigned *sockets_open, void (*on_answer)(struct dns *dns));

/*
 * Why there are no addresses, of the answers that are here: rather a failure than that a family has none. Static; NULL: there are some,
 * or no answer is here.
 */
const char *dns_problem(const struct dns *dns);

/* Gives up what is under way. No @on_answer follows, and @dns may be freed at once. */
void dns_close(struct dns *dns);
