/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A TLS handshake, on a thread for handshakes: the signature in it takes up to a millisecond, and a ring that makes
 * one makes everybody on it wait. The ring collects what the peer sends until a record is whole, lends the connection's TLS
 * to a thread for one step, and gets it back by mail. While it is lent the ring leaves it alone.
 *
 * A step that has no signature to make takes little time, and comes first: a session that is resumed, a client that is asked for another
 * key (HelloRetryRequest), what comes behind the signature. Before it signs a step stands in line once more. There addresses take turns
 * that have finished a handshake before; of others their networks do, as an attacker has new addresses without end, but not networks.
 * Of one address the newest step is done first: where more come than can be done, first come first served would have everybody wait until they
 * give up.
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
        size_t bytes_max; /* of what waits to be read */
        size_t queued_max; /* steps that wait for a thread; above: one is turned away */
};

/* For the thread, before it begins with a step. */
enum handshake_peer {
        HANDSHAKE_PEER_HERE,
        HANDSHAKE_PEER_ENDED, /* it will send nothing more, so the handshake comes to nothing */
        HANDSHAKE_PEER_CLOSED, /* so is its connection: nobody asks for the result */
};

struct handshake {
        struct work work;
        struct mail mail;
        struct tls *tls;
        struct workers *threads;
        struct turn *turn; /* with them, of the peer's address */
        struct call_host *host; /* whose ring it comes back to */
        struct handshake_limits limits;
        struct tls_bytes inbox; /* received, and not yet given to a step */
        struct tls_bytes reading; /* what the step reads: whole records */
        struct tls_problem problem;
        int result; /* of the step, as of tls_handshake(); -ENODATA: not done, the peer has gone; -EBUSY: nor is it, for want of a thread */
        bool lent;
        _Atomic(enum handshake_peer) peer;
        /* A step is done; on the ring, from the turn itself. */
        void (*on_step)(struct handshake *handshake);
};

/* Heap; NULL: no memory. @tls, @threads, @turn and @host outlive it. */
struct handshake *handshake_new(struct tls *tls, struct workers *threads, struct turn *turn,
        struct call_host *host, const struct handshake_limits *limits,
        void (*on_step)(struct handshake *handshake));

/* Not while it is lent. Takes NULL, returns NULL. */
struct handshake *handshake_free(struct handshake *handshake);

/*
 * Bytes from the peer; a step begins with the records that they complete. 0; -ENOMEM; -EMSGSIZE: over
 * the limit.
 */
int handshake_put(struct handshake *handshake, const uint8_t *data, size_t size);

/* After a step that wants more: begins another one if it is there already. 0, -ENOMEM. */
int handshake_continue(struct handshake *handshake);
