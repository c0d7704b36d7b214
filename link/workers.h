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
        struct turn *turn; /* of its owner; NULL: workers_submit() */
        bool is_small;
        uint64_t
                came; /* how many came before; 0: now. A small piece that becomes a large one keeps it */
        /* On a worker, whose @coders are; may free it. How long it was kept waiting by others, in nanoseconds. */
        uint64_t (*on_work)(struct work *work, struct coders *coders);
};

/*
 * When an owner of work had its last turn. Owners belong to networks, and have a turn of their own once they are known: who comes
 * under ever new names is one network. The workers'; zeroed at first, but for @network.
 */
struct turn {
        struct turn *network; /* NULL: none */
        uint64_t last[2]; /* which it was, with large pieces and with small ones; 0: none yet */
        size_t queued; /* pieces of work */
        bool is_known;
};

struct workers {
        pthread_mutex_t mutex;
        pthread_cond_t has_work;
        struct list
                queue; /* the next one to be done is the first; of owners: small pieces, in no order */
        struct list large; /* large pieces of owners, in no order */
        size_t queued;
        uint64_t turns; /* pieces of work of owners that were begun */
        uint64_t came; /* and that came */
        unsigned small_in_row; /* since the last large one */
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
 * As workers_submit(), where owners want more than can be done. Known owners and networks take turns, in a network its owners; @turn
 * lives as long as its work. An owner's newest work is done first, as it is of less use the longer it waits. A network that comes anew
 * is behind those that wait, or ever new ones would be before all others. Where more than @queued_max pieces wait one is returned, to be
 * done no more: the oldest of who has most of them, of that a large one. NULL: there is room. What @is_small takes little time: it comes before
 * what is large. One queue is for this function, or for the other two.
 */
struct work *workers_submit_fairly(struct workers *workers, struct work *work, struct turn *turn,
        bool is_small, size_t queued_max);

/* The owner has shown that it means it: its turns are its own from now on. */
void workers_know(struct workers *workers, struct turn *turn);

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
