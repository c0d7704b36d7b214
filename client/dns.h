/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Questions of DNS by c-ares, on a ring and without a thread: the addresses of a name, of both families at the same time, and records of
 * SRV and TXT. As the system is set up: /etc/hosts, the servers and search domains of /etc/resolv.conf, in the order of
 * /etc/nsswitch.conf; its other modules, mDNS for one, are not asked. The files are read with the first question. Only dns.c and
 * dns_records.c know c-ares.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <quoit/client.h>

#include "core/endpoint.h"
#include "core/ring.h"
#include "core/timer.h"

struct ares_channeldata;
struct dns;

#define DNS_ADDRESSES_MAX 64 /* of one family; further ones are dropped */
#define DNS_SRV_MAX QUOIT_CHANNEL_SRV_MAX
#define DNS_NAME_BYTES 256 /* of a name as text, with a zero (RFC 1035 section 2.3.4) */

/* What is known of each question. */
struct dns_answer {
        struct dns *dns;
        bool is_here;
        bool is_none; /* the server says that there is nothing of this kind, or no such name */
        const char *problem; /* why there is nothing, static; NULL: there is something */
};

/* In the order in which they are asked for, and preferred. */
enum dns_family {
        DNS_V6,
        DNS_V4,
        DNS_FAMILIES,
};

/* Of a name, those of one family. */
struct dns_addresses {
        struct dns_answer answer;
        uint16_t port;
        unsigned count;
        struct endpoint list[DNS_ADDRESSES_MAX]; /* in the system's order (RFC 6724) */
};

struct dns_host {
        struct dns_addresses families[DNS_FAMILIES];
};

/* A record of SRV (RFC 2782). */
struct dns_service {
        uint16_t priority, weight, port;
        char host[DNS_NAME_BYTES]; /* of letters, digits, "-", "_" and "."; others are dropped */
};

struct dns_srv {
        struct dns_answer answer;
        bool is_refused; /* a record says that nobody offers the service */
        unsigned count;
        struct dns_service services[DNS_SRV_MAX]; /* by priority */
};

/* The first record of TXT that begins with a prefix. */
struct dns_txt {
        struct dns_answer answer;
        const char *prefix;
        char *text; /* what follows that, less than 64 KiB, with a zero at its end; NULL: none. dns_txt_deinit() frees it */
        size_t size;
};

struct dns {
        struct ring *ring;
        const char *
                server; /* "ADDRESS:PORT", "[ADDRESS]:PORT", in place of the system's; NULL: those */
        struct ares_channeldata *ares; /* NULL: it was not needed yet, or could not begin */
        struct list sockets; /* of c-ares' */
        unsigned *sockets_open; /* of all that its owner has, until they are watched no more */
        struct timer timer; /* c-ares' next step */
        struct deferred telling;
        void (*on_answer)(struct dns *dns);
};

/*
 * Gets ready for questions. @server is kept until dns_close(). @on_answer runs in a dispatch phase, once for each answer or for several
 * together, and may ask more, or close @dns. The ring may not be closed before *@sockets_open is 0 again.
 */
void dns_open(struct dns *dns, struct ring *ring, const char *server, unsigned *sockets_open,
        void (*on_answer)(struct dns *dns));

/* Each takes memory that is its until dns_close(). Names are only read. The answers follow, never at once. */

/* The addresses of @name, which get @port. */
void dns_ask_host(struct dns *dns, struct dns_host *host, const char *name, uint16_t port);
/* Records of SRV. */
void dns_ask_srv(struct dns *dns, struct dns_srv *srv, const char *name);
/* A record of TXT. @prefix is static. */
void dns_ask_txt(struct dns *dns, struct dns_txt *txt, const char *name, const char *prefix);

/* Takes one that was zeroed, or asked for. */
void dns_txt_deinit(struct dns_txt *txt);

/* Both families are here. */
static inline bool dns_host_is_whole(const struct dns_host *host)
{
        return host->families[DNS_V4].answer.is_here && host->families[DNS_V6].answer.is_here;
}

/* How many addresses are here. */
static inline unsigned dns_host_count(const struct dns_host *host)
{
        return host->families[DNS_V4].count + host->families[DNS_V6].count;
}

/*
 * Why there are no addresses, of the answers that are here: rather a failure than that a family has none. Static; NULL: there are some,
 * or no answer is here.
 */
const char *dns_host_problem(const struct dns_host *host);

/* Gives up what is under way. No @on_answer follows, and @dns and what was asked for may be freed at once. */
void dns_close(struct dns *dns);
