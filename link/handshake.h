/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A TLS handshake, on a thread for handshakes: its signature takes up to a millisecond, for which all connections of a ring would
 * wait. The ring collects the peer's bytes until a record is whole, lends the connection's TLS to a thread for one step, and gets it
 * back by mail. While it is lent the ring does not touch it.
 *
 * A step without a signature takes little time and is done first: a resumed session, a request for another key share
 * (HelloRetryRequest), the messages after the signature. A step that needs a signature waits in line once more. There, addresses that
 * have finished a handshake before take turns with the networks of all other addresses: an attacker can have any number of new
 * addresses, but not of networks. Of one address the newest step is done first: under overload, in order of arrival, all clients would
 * wait until they give up.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/mailbox.h"
#include "link/workers.h"
#include "transport/tls.h"

struct call_host;

struct handshake_limits {
        size_t bytes_max; /* received and not read yet */
        size_t queued_max; /* steps that wait for a thread; above it one handshake is ended */
};

/* The thread reads it before it begins a step. */
enum handshake_peer {
        HANDSHAKE_PEER_HERE,
        HANDSHAKE_PEER_ENDED, /* it will send nothing more, so the handshake cannot succeed */
        HANDSHAKE_PEER_CLOSED, /* the connection is closed: the result is not needed */
};

struct handshake {
        struct work work;
        struct mail mail;
        struct tls *tls;
        struct workers *threads;
        struct turn *turn; /* of the peer's address */
        struct call_host *host; /* its ring gets the TLS back */
        struct handshake_limits limits;
        struct tls_bytes inbox; /* received, for later steps */
        struct tls_bytes reading; /* for the current step: whole records */
        struct tls_problem problem;
        int result; /* of tls_handshake(); or the step was not done: -ENODATA, the peer has gone; -EBUSY, too many wait for a thread */
        bool lent;
        _Atomic(enum handshake_peer) peer;
        /* A step is done. On the ring, not from within another event. */
        void (*on_step)(struct handshake *handshake);
};

/* Heap; NULL: no memory. @tls, @threads and @host outlive it; @turn outlives its steps. */
struct handshake *handshake_new(struct tls *tls, struct workers *threads, struct turn *turn,
        struct call_host *host, const struct handshake_limits *limits,
        void (*on_step)(struct handshake *handshake));

/* Not while it is lent. Takes NULL, returns NULL. */
struct handshake *handshake_free(struct handshake *handshake);

/* Begins a step with what there is: a client's first, which needs nothing from the peer. */
void handshake_begin(struct handshake *handshake);

/*
 * Bytes from the peer. Begins a step if they complete a record and none is running. 0; -ENOMEM; -EMSGSIZE: over the limit.
 */
int handshake_put(struct handshake *handshake, const uint8_t *data, size_t size);

/* Whether no more is to be read while a step runs: half of the limit is for what the kernel has received already. */
static inline bool handshake_is_full(const struct handshake *handshake)
{
        return handshake->inbox.size >= handshake->limits.bytes_max / 2;
}

/* After a step that needs more bytes: begins another one if a whole record is there already. 0, -ENOMEM. */
int handshake_continue(struct handshake *handshake);
