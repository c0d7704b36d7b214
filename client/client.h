/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A client's part on one ring, and the parts of channels on it. All functions here run on that ring's thread, unless they say
 * otherwise. handle.h has what a program sees.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include <quoit/client.h>

#include "client/backoff.h"
#include "core/here.h"
#include "link/base.h"
#include "link/census.h"
#include "link/workers.h"

enum client_life {
        CLIENT_NEW, /* it has no ring yet */
        CLIENT_RUNS,
        CLIENT_OVER, /* nor any more */
};

struct client {
        quoit_client *handle;
        struct base *base; /* its ring's: @own, or another's that lends it */
        struct call_host *host; /* of its calls */
        quoit_client_limits limits; /* defaults filled in */
        quoit_limits base_limits;
        const struct upb_ExtensionRegistry *extensions;
        struct base_slab connections; /* struct client_connection */
        struct census census; /* of these; registry.h gives their ids */
        struct base_slab calls; /* struct quoit_outcall */
        struct list channels; /* changed under the mutex */
        struct list noted; /* connections that have something to tell */
        struct list
                left; /* calls that have left an attempt: they come before what waits in channels */
        struct list stirred; /* channels that have something to do */
        struct list ready; /* calls without a connection that have an event */
        unsigned connection_count; /* not freed yet */
        unsigned dns_sockets; /* of lookups, until they are watched no more */
        struct workers handshakers; /* the thread for handshakes of TLS, since one was needed */
        struct deferred dispatch; /* runs what is in these lists */
        bool is_stopping; /* no channel lives any more, or is to */
        bool is_broken; /* its ring is */

        /* any thread */
        const void *_Atomic ring_thread; /* as here.h has it; NULL: not begun, or over */
        pthread_mutex_t mutex;
        _Atomic enum client_life life; /* NEW ends under the mutex */

        /* on a lent ring: client_lent.h */
        struct call_host guest_host;

        /* with a ring of its own: client_thread.h, client_stepped.h */
        struct base own;
        enum ring_engine engine;
        pthread_t thread;
        pthread_cond_t begun;
        int start_error; /* under the mutex: 1: it has not begun; 0; a negative errno */
        bool is_stopped; /* by quoit_client_free() */
        struct mail stop;
};

/* Takes zeroed memory. Any thread. @limits have their defaults. */
void client_init(struct client *client, quoit_client *handle, const quoit_client_options *options,
        const quoit_client_limits *limits);

/* Its ring is gone, or never was. Frees channels that are left. Any thread. */
void client_deinit(struct client *client);

/* It gets its ring: a @base, and the @host of its calls on it. */
void client_begin(struct client *client, struct base *base, struct call_host *host);

/* No channel lives any more: their calls end, and their connections. */
void client_shut_down(struct client *client);

/* Nothing is left that needs a turn of the ring. */
bool client_is_over(const struct client *client);

/*
 * The ring refuses to turn any more. Callers are told. What the ring holds stays as it is, memory and all: operations may be in
 * flight.
 */
void client_break(struct client *client);

/* It is over, or broken: ends its threads and its mail. The ring is not turned again. */
void client_end(struct client *client);

/* After that: the memory of its calls and connections, which nothing on the ring uses. */
void client_free_memory(struct client *client);

/* Whether the calling thread is its ring's. Any thread. */
static inline bool client_is_here(const struct client *client)
{
        return atomic_load_explicit(&client->ring_thread, memory_order_relaxed) == here_thread();
}

/* It takes no mail any more: waits until it has ended. Any other thread. No-op if it has never begun. */
void client_wait_over(struct client *client);

/* Its lists have something for the dispatch phase of the turn. */
static inline void client_stir(struct client *client)
{
        ring_defer(&client->base->ring, &client->dispatch, RING_DISPATCH);
}

/* The next pause of @backoff, as its limits have it. */
static inline uint64_t client_pause_ns(const struct client *client, struct backoff *backoff)
{
        return backoff_next_ns(backoff, client->limits.backoff_initial_ms,
                client->limits.backoff_max_ms, ring_jitter(&client->base->ring));
}

/* Mails to its ring. Any thread. 0; -EAGAIN: it has none yet; -ESHUTDOWN: nor any more, or not in this process. */
int client_post(struct client *client, struct mail *mail);

/* Runs @fn there. Any thread. As client_post(), and -ENOMEM. */
int client_run_task(struct client *client, void (*fn)(quoit_client *handle, void *arg), void *arg);
