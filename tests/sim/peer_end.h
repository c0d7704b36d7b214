/* SPDX-License-Identifier: MIT */
#pragma once

/* Inside the scripted peer: one end, and its calls. What others see of it is in peer.h. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <nghttp2/nghttp2.h>

#include "core/engine/sim.h"
#include "service.h"
#include "transport/tls.h"

enum { CALLS_MAX = 24 };

enum kind { UNARY, SERVER_STREAM, CLIENT_STREAM, BIDI, KINDS };

struct peer_call {
        struct peer_end *peer;
        int32_t id;
        enum kind kind;
        enum act act;
        uint32_t size;
        unsigned asks; /* messages of the request */
        unsigned answers; /* that are due, if it goes well */
        bool has_deadline, is_wrong, is_closed, was_reset;
        bool was_refused;
        bool is_served; /* a handler has begun with it */
        struct sim_pipe body; /* of the request; not sent yet */
        struct sim_pipe reply;
        unsigned told; /* messages of the reply */
        unsigned statuses; /* how often there was one */
        int status;
};

struct peer_end {
        struct peer_end *next; /* of the run's */
        struct sim_conn *conn;
        nghttp2_session *h2;
        bool is_good, is_dead, has_broken, is_silent, is_secure;
        bool takes_compressed, sends_compressed, brings_bulk;
        bool hurries; /* opens streams behind a GOAWAY that names no last one, until that comes */
        int32_t last_id; /* that the server's last GOAWAY names: it serves none above */
        uint64_t due_ns;
        uint64_t stalled_until_ns;
        struct tls tls; /* if it is secure */
        struct sim_pipe out; /* made, not yet taken by the network */
        struct peer_call calls[CALLS_MAX];
        unsigned call_count;
        size_t owed; /* of the windows, on the connection */
        int32_t owed_ids[64];
        uint32_t owed_bytes[64];
        unsigned owed_count;
};

/* ---- peer_call.c ---- */

extern const char *const peer_paths[KINDS]; /* of the kinds' methods */

/* Begins one whose kind, messages and fields chance decides. False: it must not begin another one. */
bool peer_begin_call(struct peer_end *peer);

/* Begins one of @kind that is answered at once, whenever that is. */
void peer_begin_plain(struct peer_end *peer, enum kind kind);

/* Checks the whole messages that have arrived. */
void peer_call_read(struct peer_call *call);

/* Checks the answer of a call that neither side broke off. */
void peer_call_check(const struct peer_call *call);

/* It ends without the peer doing anything. */
bool peer_call_ends(const struct peer_call *call);
