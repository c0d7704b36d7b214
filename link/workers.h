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
#include "link/fair_queue.h"

/* A piece of work, embedded in what it is about. */
struct work {
        const struct ring
                *ring; /* the submitter's; its clock times the work. Outlives the workers */
        struct piece piece; /* in a queue */
        /* Runs on a worker, with that worker's @coders; can free @work. Returns how long it waited for others, in nanoseconds. */
        uint64_t (*on_work)(struct work *work, struct coders *coders);
};

struct workers {
        pthread_mutex_t mutex;
        pthread_cond_t has_work;
        struct list queue; /* of workers_submit(); done first */
        struct fair_queue fair; /* of workers_submit_fairly() */
        struct work *spare; /* of workers_submit_idle(), not among the queued */
        size_t queued; /* in both queues */
        size_t idle; /* threads that wait for work */
        size_t yielding; /* threads that are about to be free */
        uint64_t service_ns; /* how long a piece of work takes: a moving average */
        bool stopping;
        pthread_t *threads;
        unsigned thread_count;
};

void workers_init(struct workers *workers);

/*
 * Starts @count threads, named @name and a number. 0 or a negative errno; workers_deinit() ends those that run. If none does it may be
 * called again.
 */
int workers_start(struct workers *workers, unsigned count, const char *name);

/* From any thread, after a successful workers_start(). */
void workers_submit(struct workers *workers, struct work *work);

/* The same, before all work that waits. */
void workers_submit_first(struct workers *workers, struct work *work);

/*
 * As workers_submit(), for owners that may want more than can be done: link/fair_queue.h. If more than @queued_max pieces wait, one of
 * them is given up: it is removed and returned. NULL: there is room.
 */
struct work *workers_submit_fairly(struct workers *workers, struct work *work, struct turn *turn,
        bool is_small, size_t queued_max);

/*
 * The piece of work that a thread does when it has no other. False: there is such a piece already. If the threads are stopped
 * before, it is not done.
 */
bool workers_submit_idle(struct workers *workers, struct work *work);

/* fair_queue_know(). */
void workers_know(struct workers *workers, struct turn *turn);

/* How many pieces wait, and how long a new one would wait: an estimate from the time of the last ones. */
struct workers_load {
        size_t queued;
        uint64_t wait_ns;
};
struct workers_load workers_load(struct workers *workers);

/*
 * For a thread whose work waits for something that can take long. True: other work waits and no thread will be free for it. Then the
 * caller ends its work at once, with workers_yielded() as its last step. Only one thread gets true for each piece that waits.
 */
bool workers_yield(struct workers *workers);
void workers_yielded(struct workers *workers);

/* Ends the threads when all work is done. No more work may be submitted. Can be called again. */
void workers_stop(struct workers *workers);

void workers_deinit(struct workers *workers);
