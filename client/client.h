/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A client: a ring with a thread of its own, and the channels on it. All functions here run on that thread, unless they say otherwise.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include <quoit/client.h>

#include "link/base.h"
#include "link/workers.h"

struct quoit_client {
        struct base base;
        quoit_client_limits limits; /* defaults filled in */
        quoit_limits base_limits;
        enum ring_engine engine;
        const struct upb_ExtensionRegistry *extensions;
        struct slab connections; /* struct client_connection */
        struct slab calls; /* struct quoit_outcall */
        struct list channels;
        struct list noted; /* connections that have something to tell */
        struct list stirred; /* channels that have something to do */
        struct list ready; /* calls without a connection that have an event */
        struct workers resolver; /* the thread for names */
        bool has_resolver; /* it runs */
        unsigned lookups; /* under way */
        struct workers handshakers; /* the thread for handshakes of TLS */
        bool has_handshakers; /* it runs */
        struct deferred dispatch; /* runs what is in these lists */
        bool is_stopping; /* no channel lives any more, or is to */
        bool is_stopped; /* by quoit_client_free() */
        struct mail stop;

        /* any thread */
        pthread_t thread;
        const void *_Atomic ring_thread; /* by its thread pointer; NULL: it has not begun */
        pthread_mutex_t mutex;
        pthread_cond_t begun;
        int start_error; /* under the mutex: 1: it has not begun; 0; a negative errno */
};

/* Whether the calling thread is the client's. Any thread. */
static inline bool client_is_here(const struct quoit_client *client)
{
        return atomic_load_explicit(&client->ring_thread, memory_order_relaxed) ==
               __builtin_thread_pointer();
}

/* Its lists have something for the dispatch phase of the turn. */
static inline void client_stir(struct quoit_client *client)
{
        ring_defer(&client->base.ring, &client->dispatch, RING_DISPATCH);
}

/* Mails to the client's thread. Any thread. 0, or -ESHUTDOWN: that has ended. */
int client_post(struct quoit_client *client, struct mail *mail);
