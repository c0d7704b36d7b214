/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One connection: a socket and an HTTP/2 session, linked. Bytes that come are fed; the calls that they make
 * ready are dispatched right behind; what the session has to say goes out in one send at the turn's end.
 */

#include <stdbool.h>
#include <stdint.h>

#include <quoit/tls.h>

#include "call/call.h"
#include "call/peer.h"
#include "core/ring.h"
#include "core/socket.h"
#include "core/timer.h"
#include "link/base.h"
#include "link/keepalive.h"
#include "link/rate.h"
#include "link/shortage.h"
#include "transport/bdp.h"
#include "transport/session.h"

struct endpoint;
struct link_owner;
struct secure;
struct workers;

enum connection_state {
        CONNECTION_OPEN,
        CONNECTION_CLOSING, /* beyond use: what is queued (a GOAWAY) goes out, nothing comes in */
        CONNECTION_LINGERING, /* our side is shut; waits for the peer's end, so that no RST eats the GOAWAY */
        CONNECTION_CLOSED, /* the session is gone, the socket is on its way */
        CONNECTION_DEAD, /* only calls whose handlers still run keep it */
};

/* What other threads may read, for <quoit/statistics.h>. */
struct connection_counts {
        counter keepalives_sent;
        counter send_window_bytes; /* as of the last send */
        counter receive_window_bytes;
        _Atomic(const char *) tls_cipher; /* static; NULL: none */
};

struct connection {
        struct socket socket;
        struct session session;
        struct secure *secure; /* TLS in between; NULL: in the clear */
        struct call_group group;
        struct base *base;
        const struct link_owner *owner;
        struct list link; /* in the base */
        struct connection_counts counts;
        struct list ready; /* calls that may have an event */
        struct deferred dispatch;
        struct deferred flush;
        struct output *output; /* being filled, or in flight */
        struct timer watch;
        struct bdp bdp;
        struct keepalive keepalive;
        struct rate resets;
        struct rate glitches;
        struct memory_hold memory_hold;
        uint64_t jitter; /* its own, for what is not to happen to all at once */
        uint64_t opened_ns;
        uint64_t idle_ns; /* since when it has no calls, while it has none */
        uint64_t drained_ns; /* since when its end is on its way, once it is */
        uint64_t send_started_ns;
        uint64_t budget_turn; /* the turn, by its number, ... */
        uint32_t budget_calls; /* ... in which so many calls may still be dispatched */
        bool dispatch_last; /* its calls go on in the next turn, once those of others that wait are in line */
        enum connection_state state;
        bool settled; /* the peer's SETTINGS have come */
        bool drain_seen; /* the drain's last moment has begun */
        bool stall_suspected; /* it was found stalled once */
        struct peer peer;
};

static inline struct ring *connection_ring(struct connection *connection)
{
        return &connection->base->ring;
}

static inline const quoit_limits *connection_limits(const struct connection *connection)
{
        return connection->group.host->limits;
}

struct connection_options {
        int fd; /* connected */
        const struct endpoint *peer;
        quoit_tls *tls; /* NULL: in the clear. It outlives the call that opens: */
        struct workers *handshakers; /* where @tls is: threads for its handshake, ... */
        uint64_t *
                turn; /* ... and the turn with them, of the peer's address. Both outlive the connection */
};

/*
 * Takes over the descriptor, in memory of the owner's. 0; -ENOMEM: it took nothing, and the owner, who was not called, closes
 * the descriptor.
 */
int connection_open(struct connection *connection, struct base *base,
        const struct link_owner *owner, const struct connection_options *options);

/* At once: what is queued is dropped, calls are cancelled. No-op when it is closed already. */
void connection_close(struct connection *connection);

/* All was said: a friendly end, whose other half is the peer's. */
void connection_linger(struct connection *connection);

/* The memory goes when the socket is closed, the last call is gone and no thread has its TLS, whichever comes last. */
void connection_try_free(struct connection *connection);

/* The first of the calls whose stream is open; NULL: there is none. */
const struct quoit_call *connection_first_call(const struct connection *connection);

/* Graceful end, in two steps: running calls may finish, new ones are not taken after the second. */
void connection_drain(struct connection *connection);

/* The second step of it, when the peer is slow to answer the first. */
void connection_drain_now(struct connection *connection);

/* Cancels all calls with UNAVAILABLE and the static @why, and closes when that has gone out. */
void connection_cancel_calls(struct connection *connection, const char *why);

/* Asks the peer for a sign of life. */
void connection_ping(struct connection *connection);

/* The peer does @what too often: GOAWAY ENHANCE_YOUR_CALM with @reason, and running calls are lost. */
void connection_expel(struct connection *connection, const char *what, const char *reason);

/* A thread is through with a step of the handshake of its TLS. */
void connection_on_secured(struct connection *connection);

/* What a base gives its calls as call_host.on_ready and .on_output and .on_freed. */
void connection_on_call_ready(struct quoit_call *call);
void connection_on_call_output(struct call_group *group);
void connection_on_call_freed(void *user, struct call_group *group);
