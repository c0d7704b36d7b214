/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

#include <quoit/peer.h>

/* A path of a unix socket has at most 108 bytes. An abstract name can be longer when it is escaped: it is cut. */
#define PEER_ADDRESS_BYTES 128

/* Who is at the other end of a connection. Fixed when it opens: any thread may read it. */
struct peer {
        char address[PEER_ADDRESS_BYTES]; /* as quoit_call_peer() returns it */
        char local[PEER_ADDRESS_BYTES]; /* ours, in the same spelling */
        bool has_credentials;
        quoit_peer_credentials credentials;
        const quoit_peer_tls *tls; /* once the handshake is over; NULL: in the clear */
};
