/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One connection: a socket joined to an HTTP/2 session. Received bytes are fed to the session; the calls that this makes
 * ready are dispatched at once; the session's output goes out in one send at the end of the turn. All of it runs on the
 * ring's thread.
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
struct tls_context;
struct tunnel;
struct turn;
struct workers;

enum connection_state {
        CONNECTION_OPEN,
        CONNECTION_CLOSING, /* sends what is queued (a GOAWAY); ignores input */
        CONNECTION_LINGERING, /* our side is shut; waits for the peer's end: a close now could send a RST, which destroys the GOAWAY */
        CONNECTION_CLOSED, /* the session is freed, the socket is being closed */
        CONNECTION_DEAD, /* the socket is closed; calls whose handlers still run keep the memory */
};

/* What other threads may read, for <quoit/statistics.h>. */
struct connection_counts {
        counter keepalives_sent;
        counter send_window_bytes; /* at the last send */
        counter receive_window_bytes;
        _Atomic(const char *) tls_cipher; /* static; NULL: no TLS */
};

struct connection {
        struct socket socket;
        struct session session;
        struct secure *secure; /* TLS between the two; NULL: plaintext */
        struct tunnel *tunnel; /* below them, a proxy's; NULL: it goes by none */
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
        uint64_t jitter; /* random: spreads timed actions of many connections */
        uint64_t opened_ns;
        uint64_t idle_ns; /* since when it has had no calls, while it has none */
        uint64_t drained_ns; /* when its drain began, once it has */
        uint64_t send_started_ns;
        uint64_t block_ns; /* when the header block began ... */
        uint32_t block; /* ... of this number (session.blocks), which had not ended yet; 0: none */
        uint64_t budget_turn; /* the number of the turn ... */
        uint32_t budget_calls; /* ... in which so many calls can still be dispatched */
        bool woken; /* a call that is in line already may have a new event */
        bool dispatch_last; /* its calls go on in the next turn, behind the connections that wait already */
        enum connection_state state;
        int error; /* that the socket failed with, a negative errno; 0: it did not */
        bool established; /* the peer's SETTINGS have arrived */
        bool closed_reported; /* to the owner */
        bool input_ended; /* HTTP/1.1: the peer sends no more, but what it asked for is answered */
        bool drain_seen; /* the peer has acknowledged the drain: the last wait has begun */
        bool suspected; /* the last look found it over its time; the next one confirms */
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

/* The call that runs has used as much of its connection's turn as @calls more would have. */
static inline void connection_charge(struct connection *connection, uint32_t calls)
{
        uint32_t left = connection->budget_calls;

        connection->budget_calls =
                calls < left ? left - calls : 1; /* its own is still to be counted */
}

struct connection_options {
        enum session_role role; /* ours */
        int fd; /* connected */
        const struct endpoint *peer;
        uint32_t
                keepalive_ms; /* the peer's silence after which we ask whether it is there; 0: as the limits say */
        /* If the connection has TLS: */
        quoit_tls *
                tls; /* a server's; its keys of session tickets are used until the connection is freed */
        struct tls_context *client_tls; /* a client's; needed during connection_open() only */
        const char *
                server_name; /* with that: the certificate must be for it; a DNS name or an IP address */
        struct workers *handshakers; /* with TLS: its threads; they outlive the connection */
        struct turn *turn; /* with them, of the peer's address; until the owner's on_closed() */
        const char *
                proxy_request; /* a client's: what a proxy is asked with CONNECT; needed during connection_open() only; NULL: no proxy */
        size_t proxy_answer_bytes_max; /* with that */
        bool http1; /* a server's: its client may speak HTTP/1.1 */
        struct call_host *host; /* of its calls, on the base's ring; NULL: the base's */
};

/*
 * Takes over the descriptor. @connection is the owner's memory. 0; -ENOMEM; -EINVAL: no server can have this name. After an error
 * nothing was taken and the owner was not called; it closes the descriptor itself.
 *
 * A client's connection speaks first; calls can begin at once, by session_request(). It does not run them: its owner counts each in
 * `group.count`, and host->on_freed() is called when one is freed, as for a server's calls.
 */
int connection_open(struct connection *connection, struct base *base,
        const struct link_owner *owner, const struct connection_options *options);

/* HTTP/1.1: requests that have come behind the others can be taken. Never once it is closing: what came is ignored then. */
bool connection_has_input(const struct connection *connection);

/* HTTP/1.1: takes the next of the requests that have come together, if it is its turn. */
void connection_go_on(struct connection *connection);

/* At once: queued output is dropped, calls are cancelled. No-op when it is closed already. */
void connection_close(struct connection *connection);

/* All output was sent: shuts our side down and waits for the peer to close. */
void connection_linger(struct connection *connection);

/* Gives the memory back to the owner if the socket is closed, the last call is freed and no thread has the TLS. */
void connection_try_free(struct connection *connection);

/*
 * Begins a graceful end. Running calls finish. A server's has two steps, and it accepts new calls until the second one; a client
 * begins no more.
 */
void connection_drain(struct connection *connection);

/* The second step, for a peer that is slow to answer the first. */
void connection_drain_now(struct connection *connection);

/* Servers: ends all calls with UNAVAILABLE and the static text @why; closes when that was sent. */
void connection_cancel_calls(struct connection *connection, const char *why);

/* Sends a PING, to find out whether the peer is alive. */
void connection_ping(struct connection *connection);

/* The peer does @what too often: logs it, sends GOAWAY ENHANCE_YOUR_CALM with @reason and closes. Running calls are lost. */
void connection_expel(struct connection *connection, const char *what, const char *reason);

/* A thread has finished a step of the TLS handshake. */
void connection_on_secured(struct connection *connection);

/* call_host.on_ready, .on_output and .on_freed of every base. */
void connection_on_call_ready(struct exchange *exchange);
void connection_on_call_output(struct call_group *group);
void connection_on_call_freed(void *user, struct call_group *group);
