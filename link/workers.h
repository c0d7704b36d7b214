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
                *ring; /* the submitter's; its clock times the work. Outlives the workers */
        struct list link; /* in the queue */
        struct turn *turn; /* of its owner; NULL: workers_submit() */
        bool is_small;
        uint64_t
                came; /* its number in order of arrival; 0: not given yet. A small piece that becomes large keeps it */
        /* Runs on a worker, with that worker's @coders; can free @work. Returns how long it waited for others, in nanoseconds. */
        uint64_t (*on_work)(struct work *work, struct coders *coders);
};

/*
 * When an owner of work had its last turn. Owners belong to networks. An owner that is not known shares the turns of its network,
 * so an attacker with many addresses of one network gains nothing. Zeroed at first, except for @network; then only workers.c uses it.
 */
struct turn {
        struct turn *network; /* NULL: none */
        uint64_t last
                [2]; /* the number of its last turn with a large piece, with a small one; 0: none yet */
        size_t queued; /* pieces of work */
        bool is_known;
};

struct workers {
        pthread_mutex_t mutex;
        pthread_cond_t has_work;
        struct list
                queue; /* in order; with workers_submit_fairly(): the small pieces, in no order */
        struct list large; /* large pieces of workers_submit_fairly(), in no order */
        struct work *spare; /* of workers_submit_idle(), not among the queued */
        size_t queued;
        uint64_t turns; /* the number of the newest turn */
        uint64_t came; /* pieces that workers_submit_fairly() was given */
        unsigned small_in_row; /* since the last large one */
        size_t idle; /* threads that wait for work */
        size_t yielding; /* threads that are about to be free */
        uint64_t service_ns; /* how long a piece of work takes: a moving average */
        bool stopping;
        pthread_t *threads;
        unsigned thread_count;
};

void workers_init(struct workers *workers);

/* Starts @count threads, named @name and a number. 0 or a negative errno; workers_deinit() ends those that run. */
int workers_start(struct workers *workers, unsigned count, const char *name);

/* From any thread, after a successful workers_start(). */
void workers_submit(struct workers *workers, struct work *work);

/* The same, before all work that waits. */
void workers_submit_first(struct workers *workers, struct work *work);

/*
 * As workers_submit(), for owners that may want more than can be done. Known owners and networks take turns, and in a network its
 * owners. A new network starts behind those that wait; otherwise an endless number of new ones could keep all others out. An owner's
 * newest work is done first: the longer work waits, the less it is worth. @is_small: takes little time, and is done before large work.
 *
 * If more than @queued_max pieces wait, one is removed and returned: of the owner or network with the most pieces, a large one if it
 * has any, the oldest. NULL: there is room. @turn outlives its work. Use one struct workers for this function only, or for the other
 * two only.
 */
struct work *workers_submit_fairly(struct workers *workers, struct work *work, struct turn *turn,
        bool is_small, size_t queued_max);

/*
 * The piece of work that a thread does when it has no other. False: there is such a piece already. If the threads are stopped
 * before, it is not done. For both uses.
 */
bool workers_submit_idle(struct workers *workers, struct work *work);

/* The owner is known now (it has finished a handshake): it has turns of its own. */
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
