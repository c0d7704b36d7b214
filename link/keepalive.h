/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * PINGs both ways (gRPC's keepalive document, A8 and A9): ours, to see whether a silent peer is still there, and the peer's,
 * which must not come too often. Pure: whoever holds it has the clock and sends the PING.
 */

#include <stdbool.h>
#include <stdint.h>

#include <quoit/limits.h>

struct keepalive {
        uint64_t heard_ns; /* when the last bytes came */
        uint64_t
                asked_ns; /* when our PING went out that nothing has come after; 0: there is none */
        uint64_t pinged_ns; /* when the peer's last PING came; 0: never */
        uint32_t strikes;
};

enum keepalive_verdict {
        KEEPALIVE_ALIVE,
        KEEPALIVE_ASK, /* a PING is to be sent */
        KEEPALIVE_DEAD, /* it was not answered */
};

void keepalive_init(struct keepalive *keepalive, uint64_t now_ns);

/* Bytes have come, whatever they are. */
static inline void keepalive_heard(struct keepalive *keepalive, uint64_t now_ns)
{
        keepalive->heard_ns = now_ns;
        keepalive->asked_ns = 0;
}

/*
 * @pings of the peer's have come at once; @has_calls, and whether it @was_answered with headers or data since the last.
 * False: too many strikes.
 */
bool keepalive_allows(struct keepalive *keepalive, const quoit_limits *limits, uint32_t pings,
        bool has_calls, bool was_answered, uint64_t now_ns);

/* What is to be done now, and in *@ret_due_ns, unless it is dead, when to look again. */
enum keepalive_verdict keepalive_look(struct keepalive *keepalive, const quoit_limits *limits,
        uint64_t now_ns, uint64_t *ret_due_ns);
