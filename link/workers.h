/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The threads on which offloaded handlers run, shared by all rings of a server.
 */

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/coders.h"
#include "core/list.h"
#include "core/ring.h"

/* A piece of work, embedded in what it is about. */
struct work {
        const struct ring
                *ring; /* that it comes from, by whose clock it is timed: it outlives the workers */
        struct list link; /* in the queue */
        uint64_t *turn; /* of its owner; NULL: workers_submit() */
        bool goes_on; /* with what an earlier piece of its owner's has begun */
        /* On a worker, whose @coders are; may free it. How long it was kept waiting by others, in nanoseconds. */
        uint64_t (*on_work)(struct work *work, struct coders *coders);
};

struct workers {
        pthread_mutex_t mutex;
        pthread_cond_t has_work;
        struct list queue; /* the next one to be done is the first */
        size_t queued;
        uint64_t turns; /* pieces of work of owners that were begun */
        size_t idle; /* threads that wait for work */
        size_t yielding; /* threads that will be free at once */
        uint64_t service_ns; /* what a piece of work takes: a moving average */
        bool stopping;
        pthread_t *threads;
        unsigned thread_count;
};

void workers_init(struct workers *workers);

/* Starts @count threads, named @name and a number; none where one cannot be started. 0 or a negative errno. */
int workers_start(struct workers *workers, unsigned count, const char *name);

/* From any thread, after a successful workers_start(). */
void workers_submit(struct workers *workers, struct work *work);

/* The same, ahead of all that waits. */
void workers_submit_first(struct workers *workers, struct work *work);

/*
 * As workers_submit(), where owners want more than can be done. They take turns: @turn, 0 at first, is of one owner, the workers' to
 * change, and lives as long as its work. An owner's newest work is done first, as it is of less use the longer it waits. Where
 * more than @queued_max pieces wait the oldest of all is returned, to be done no more. NULL: there is room. What @goes_on, so that
 * something was done for it already, comes before all that begins, and stays. One queue is for this function, or for the other two.
 */
struct work *workers_submit_fairly(struct workers *workers, struct work *work, uint64_t *turn,
        bool goes_on, size_t queued_max);

/* What waits for a thread, and how long a further piece would: by what the last ones took. */
struct workers_load {
        size_t queued;
        uint64_t wait_ns;
};
struct workers_load workers_load(struct workers *workers);

/*
 * From a thread in the midst of its work, which is waiting for something that may take long: true if some other work waits
 * for a thread, and none comes to be free. Then it ends its work at once, and says so as its last step. Nobody else is told the
 * same of that work.
 */
bool workers_yield(struct workers *workers);
void workers_yielded(struct workers *workers);

/* Ends the threads when all work is done. Nobody may submit any more. May come again. */
void workers_stop(struct workers *workers);

void workers_deinit(struct workers *workers);
