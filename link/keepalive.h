/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * PINGs in both directions (gRPC's keepalive document, A8 and A9): ours, to find out whether a silent peer is alive, and the
 * peer's, which must not be too frequent. Pure: the caller has the clock and sends the PING.
 */

#include <stdbool.h>
#include <stdint.h>

#include <quoit/limits.h>

struct keepalive {
        uint32_t silence_ms; /* after which we ask */
        uint64_t heard_ns; /* when bytes arrived last */
        uint64_t asked_ns; /* when our unanswered PING was sent; 0: there is none */
        uint64_t pinged_ns; /* when the peer's last PING arrived; 0: never */
        uint32_t strikes;
};

enum keepalive_verdict {
        KEEPALIVE_ALIVE,
        KEEPALIVE_ASK, /* send a PING */
        KEEPALIVE_DEAD, /* our PING was not answered in time */
};

void keepalive_init(struct keepalive *keepalive, uint32_t silence_ms, uint64_t now_ns);

/* Bytes have arrived, of any kind: they count as an answer to our PING. */
static inline void keepalive_heard(struct keepalive *keepalive, uint64_t now_ns)
{
        keepalive->heard_ns = now_ns;
        keepalive->asked_ns = 0;
}

/*
 * @pings PINGs of the peer have arrived together. @has_calls: the connection has calls. @was_answered: we have sent headers
 * or data since the last ones. False: too many strikes.
 */
bool keepalive_allows(struct keepalive *keepalive, const quoit_limits *limits, uint32_t pings,
        bool has_calls, bool was_answered, uint64_t now_ns);

/* What to do now. *@ret_due_ns: when to look again, unless the peer is dead. */
enum keepalive_verdict keepalive_look(struct keepalive *keepalive, const quoit_limits *limits,
        uint64_t now_ns, uint64_t *ret_due_ns);
