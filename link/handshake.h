/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A TLS handshake, on a thread for handshakes. Its signature takes up to a millisecond: on the ring it would delay every
 * connection there. The ring collects what the peer sends until a record is whole, lends the connection's TLS to a thread
 * for one step, and gets it back by mail. While it is lent, the ring leaves it alone.
 *
 * A handshake that has begun goes on before others begin: its signature was paid for. Addresses take turns. Of one address
 * the newest step is done first: when more handshakes arrive than can be done, serving the oldest first would make all of
 * them wait until they give up.
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
        size_t bytes_max; /* of received bytes that wait for a step */
        size_t queued_max; /* steps that wait for a thread; above it the oldest is refused */
};

/* What a thread looks at before it begins a step. */
enum handshake_peer {
        HANDSHAKE_PEER_HERE,
        HANDSHAKE_PEER_ENDED, /* it sends nothing more, so the handshake cannot succeed */
        HANDSHAKE_PEER_CLOSED, /* the connection is closed: nobody needs the result */
};

struct handshake {
        struct work work;
        struct mail mail;
        struct tls *tls;
        struct workers *threads;
        uint64_t *turn; /* of the peer's address, see workers_submit_fairly() */
        struct call_host *host; /* of the ring that gets it back */
        struct handshake_limits limits;
        struct tls_bytes inbox; /* received, not given to a step yet */
        struct tls_bytes reading; /* whole records, which the step reads */
        struct tls_problem problem;
        int result; /* of the step: that of tls_handshake(); -ENODATA: not done, the peer has gone; -EBUSY: not done, too many wait */
        bool lent;
        bool begun; /* a step was made */
        _Atomic(enum handshake_peer) peer;
        /* A step is done. On the ring, not within another callback. */
        void (*on_step)(struct handshake *handshake);
};

/* Heap; NULL: no memory. @tls, @threads, @turn and @host outlive it. */
struct handshake *handshake_new(struct tls *tls, struct workers *threads, uint64_t *turn,
        struct call_host *host, const struct handshake_limits *limits,
        void (*on_step)(struct handshake *handshake));

/* Not while it is lent. Takes NULL, returns NULL. */
struct handshake *handshake_free(struct handshake *handshake);

/* Bytes from the peer. When they complete a record, a step begins. 0; -ENOMEM; -EMSGSIZE: over the limit. */
int handshake_put(struct handshake *handshake, const uint8_t *data, size_t size);

/* After a step that needs more: begins the next one if its record has arrived already. 0, -ENOMEM. */
int handshake_continue(struct handshake *handshake);
