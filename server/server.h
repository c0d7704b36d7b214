/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The server as its rings see it: what is fixed before it runs, and the few counters that they share.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include <quoit/server.h>
#include <quoit/tls.h>

#include "call/peer.h"
#include "core/refusal.h"
#include "link/workers.h"
#include "server/addresses.h"
#include "server/complaints.h"
#include "server/hooks.h"
#include "server/log.h"
#include "server/meeting.h"
#include "server/router.h"

struct shard;

#define SERVER_LISTENERS_MAX 32

/* What quoit_server_listen() has opened. */
struct server_listener {
        int fd;
        bool is_taken; /* by the first shard, which closes it */
        char address[PEER_ADDRESS_BYTES]; /* as quoit_server_listener_address() tells it */
        quoit_tls *tls; /* our reference; NULL: in the clear */
};

enum server_life {
        SERVER_NEW,
        SERVER_SERVES,
        SERVER_ENDED, /* or failed to start */
};

struct quoit_server {
        quoit_server_options options; /* defaults filled in */
        struct router router;
        struct interceptors *interceptors; /* NULL: there are none */
        struct hooks hooks;
        struct server_listener listeners[SERVER_LISTENERS_MAX];
        unsigned listener_count;
        struct workers workers;
        struct workers handshakers; /* threads for the handshakes of TLS */
        uint64_t local_turn; /* with them, of peers without an address */
        struct shard *shards; /* options.rings of them while it runs */
        struct meetings meetings;
        quoit_engine engine; /* what the rings run on; QUOIT_ENGINE_AUTO: it is not chosen yet */
        pthread_mutex_t refusal_mutex; /* for those who note one: */
        struct refusal refused; /* the first that was noted */
        char refusal
                [REFUSAL_TEXT_BYTES]; /* why a ring or a thread could not be had, or broke; "": none was told of */
        unsigned ring_entries; /* of each ring's submission queue */
        atomic_uint listening; /* listeners that are not closed */
        atomic_uint stops; /* calls of quoit_server_stop() */
        atomic_uint drains; /* times that the end was asked for, to be within: */
        atomic_uint drain_ms;
        atomic_uint wakers; /* of them, those at work */
        atomic_bool hooks_stopped; /* the hooks have been told */
        atomic_bool running; /* it was started: what is fixed is fixed */
        enum server_life life; /* for the thread that starts it */
        unsigned
                threads; /* the first shard's, which is the caller's, and those that were started */
        atomic_ullong connections_accepted;
        atomic_ullong connections_refused;
        struct addresses addresses;
        struct log_gate peer_log;
        struct complaints complaints; /* about handlers */
        atomic_bool has_begun; /* the shards may be looked at by any thread from here on */
        atomic_ullong connection_ids; /* the highest that was given */
        char problem[512];
};

/* Notes what is wrong, for quoit_server_problem(); returns @error. Not while the server runs. */
int server_fail(struct quoit_server *server, int error, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

/*
 * A ring, or its thread, could not be had, or broke: what is in the way, and what helps. The first word counts. Any thread, before
 * the meeting that hears of the error: what fills the memory is to be still there.
 */
void server_note_refusal(struct quoit_server *server, enum refusal_call call, int error);

void server_forget_refusal(struct quoit_server *server);

/* Fails with what was noted, and forgets it. */
int server_fail_refused(struct quoit_server *server, int error);

/* Makes all rings turn. Async-signal-safe, and from any thread. */
void server_wake_shards(struct quoit_server *server);

/* Puts the defaults where a limit is 0. */
void limits_complete(quoit_limits *limits);
