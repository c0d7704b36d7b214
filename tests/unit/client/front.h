/* SPDX-License-Identifier: MIT */
#pragma once

/* A front server whose handlers call the stage's, and answer what that does: by a client on the front server's rings. All threads and sockets are real. */

#include "stage.h"

#define FRONT_RINGS 2

struct front {
        quoit_server *server;
        quoit_client *client;
        quoit_channel *channel; /* to the stage's server */
        pthread_t thread;
        char target[32];
        bool has_started;
        bool has_no_parent; /* the outcall is made for nobody */
        bool finishes_first; /* the handler does not wait */
        const quoit_metadata *metadata;
        size_t metadata_count;
        const quoit_metadata *own_trace; /* the handler sets it for outcalls; NULL: it does not */
        size_t own_trace_count;

        /* written by handlers; each test reads them when its calls are over */
        atomic_uint outcalls, hops, outcalls_over;
        const void *_Atomic threads[2]; /* two that handlers ran on */
        quoit_status status; /* of the last outcall */
        char text[QUOIT_ERROR_TEXT_BYTES];
        char trace[512]; /* what the stage's server was sent of it */
};

/* The stage's client and first server, and the front server, which does not run yet. @on_workers: its handlers. */
void front_init(struct front *front, struct stage *stage, bool on_workers);
void front_start(struct front *front);
/* Starts it, with a channel of the stage's client to it. */
void front_open(struct front *front, struct stage *stage);
void front_deinit(struct front *front, struct stage *stage);
