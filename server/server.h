/* SPDX-License-Identifier: MIT */
#pragma once

/* A server as its rings see it: what is fixed before it runs, and a few counters that they share. */

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include <quoit/server.h>
#include <quoit/tls.h>

#include "call/peer.h"
#include "core/refusal.h"
#include "front/json_codec.h"
#include "link/complaints.h"
#include "link/log.h"
#include "link/rings.h"
#include "link/workers.h"
#include "server/addresses.h"
#include "server/hooks.h"
#include "server/http_routes.h"
#include "server/log.h"
#include "server/meeting.h"
#include "server/router.h"
#include "server/transcode.h"

struct shard;

#define SERVER_LISTENERS_MAX 32

/* What quoit_server_listen() has opened. */
struct server_listener {
        int fd;
        bool is_taken; /* by the first shard, which closes it */
        bool is_admin; /* only handlers of plain HTTP are served: quoit_server_listen_admin() */
        bool http2_only; /* so is the server's option */
        char address[PEER_ADDRESS_BYTES]; /* what quoit_server_listener_address() returns */
        quoit_tls *tls; /* our reference; NULL: plaintext */
};

enum server_life {
        SERVER_NEW,
        SERVER_SERVES,
        SERVER_ENDED, /* or failed to start */
};

struct quoit_server {
        quoit_server_options options; /* defaults filled in */
        struct router router;
        struct http_routes http_routes;
        struct json_types json_types; /* of the messages of its services */
        struct transcode transcode;
        struct interceptors *interceptors; /* NULL: there are none */
        struct cors *cors; /* NULL: pages of other origins may not call */
        struct hooks hooks;
        struct server_listener listeners[SERVER_LISTENERS_MAX];
        unsigned listener_count;
        struct workers workers;
        struct workers handshakers; /* threads for the handshakes of TLS */
        struct turn local_turn; /* with them, of all peers without an IP address */
        struct shard *shards; /* options.rings of them while it runs */
        struct meetings meetings;
        struct quoit_rings lent; /* its rings, for clients */
        quoit_engine engine; /* of the rings; QUOIT_ENGINE_AUTO: not chosen yet */
        pthread_mutex_t refusal_mutex; /* for the two below */
        struct refusal refused; /* the first one noted */
        char refusal
                [REFUSAL_TEXT_BYTES]; /* why a ring or thread was refused, or failed; "": none was */
        unsigned ring_entries; /* of each ring's submission queue */
        atomic_uint listening; /* listeners that are not closed */
        atomic_uint stops; /* calls of quoit_server_stop() */
        atomic_uint drains; /* times that a drain was asked for, ... */
        atomic_uint drain_ms;
        atomic_uint wakers; /* threads that are in server_wake_shards() */
        atomic_bool hooks_stopped; /* on_stop of all hooks has run */
        atomic_bool running; /* it was started: what is fixed may not change any more */
        enum server_life life; /* used by the thread that starts it */
        unsigned threads; /* of shards: the caller's, and those that were started */
        atomic_ullong connections_accepted;
        atomic_ullong connections_refused;
        struct addresses addresses;
        struct log log;
        struct complaints complaints; /* about handlers */
        atomic_bool has_begun; /* from here on any thread may read the shards */
        atomic_ullong connection_ids; /* the highest that was given */
        char problem[512];
};

/* Notes what is wrong, for quoit_server_problem(). Returns @error. Not while the server runs. */
int server_fail(struct quoit_server *server, int error, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

/*
 * Notes why a ring, or its thread, was refused or failed, and what helps. Only the first note counts. Any thread, before the
 * meeting that gets the error: the text names what uses the memory, and that is freed afterwards.
 */
void server_note_refusal(struct quoit_server *server, enum refusal_call call, int error);

void server_forget_refusal(struct quoit_server *server);

/* Fails with what was noted, and forgets it. Returns @error. */
int server_fail_refused(struct quoit_server *server, int error);

/* Makes all rings turn. Async-signal-safe; any thread. */
void server_wake_shards(struct quoit_server *server);
