/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Threads with a queue of work, shared by all rings of a server: one set runs offloaded handlers, another one TLS
 * handshakes.
 */

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/coders.h"
#include "core/list.h"
#include "core/ring.h"

/* A piece of work, embedded in what it belongs to. */
struct work {
        const struct ring
                *ring; /* that it comes from, whose clock times it: outlives the workers */
        struct list link; /* in the queue */
        uint64_t *turn; /* of its owner, see workers_submit_fairly(); NULL: workers_submit() */
        bool goes_on; /* it continues what an earlier piece of its owner's has begun */
        /*
         * On a worker, with that thread's @coders. Can free the work. Returns how many nanoseconds it spent waiting for
         * others.
         */
        uint64_t (*on_work)(struct work *work, struct coders *coders);
};

struct workers {
        pthread_mutex_t mutex;
        pthread_cond_t has_work;
        struct list
                queue; /* from workers_submit(): the next one is the first; from workers_submit_fairly(): the newest one is */
        size_t queued;
        uint64_t turns; /* how many turns owners have had */
        size_t idle; /* threads that wait for work */
        size_t yielding; /* threads that will be free at once */
        uint64_t service_ns; /* what a piece of work takes: a moving average */
        bool stopping;
        pthread_t *threads;
        unsigned thread_count;
};

void workers_init(struct workers *workers);

/* Starts @count threads, named @name and a number. 0 or a negative errno, of the first thread that cannot be started. */
int workers_start(struct workers *workers, unsigned count, const char *name);

/* From any thread, after a successful workers_start(). */
void workers_submit(struct workers *workers, struct work *work);

/* The same, ahead of all work that waits. */
void workers_submit_first(struct workers *workers, struct work *work);

/*
 * As workers_submit(), for owners that together want more than can be done. They take turns: @turn belongs to one owner, is
 * 0 at first, is changed by the workers only, and lives as long as its work. An owner's newest work is done first, as it is
 * of less use the longer it waits. If more than @queued_max pieces wait, the oldest is removed and returned: it will not be
 * done. NULL: there was room. Work that @goes_on continues what was begun: it comes before work that begins, and is removed
 * last. Do not mix this function with the other two on one queue.
 */
struct work *workers_submit_fairly(struct workers *workers, struct work *work, uint64_t *turn,
        bool goes_on, size_t queued_max);

/* How much waits for a thread, and how long a further piece would: estimated from what the last ones took. */
struct workers_load {
        size_t queued;
        uint64_t wait_ns;
};
struct workers_load workers_load(struct workers *workers);

/*
 * From a thread in the middle of its work, before a wait that may take long. True: other work waits and no thread will be
 * free for it. Then this work has to end at once, and to call workers_yielded() as its last step. Only one thread yields for
 * each piece that waits.
 */
bool workers_yield(struct workers *workers);
void workers_yielded(struct workers *workers);

/* Ends the threads when all work is done. Nothing may be submitted after that. Can be called again. */
void workers_stop(struct workers *workers);

void workers_deinit(struct workers *workers);
