/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A queue whose pieces belong to owners that may want more than can be done. Known owners and networks take turns, and in a network its
 * owners. A new network starts behind those that wait; otherwise an endless number of new ones could keep all others out. An owner's
 * newest piece is next: the longer one waits, the less it is worth. Small pieces go before large ones, but not for ever.
 *
 * If there are too many, known owners and unknown ones may have half of them each. Who has more loses the oldest of its largest owner or
 * network: so neither an attacker with many networks keeps out those that are known, nor a known one all others.
 *
 * Without threads: its user has a lock.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/list.h"

/*
 * When an owner had its last turn. Owners belong to networks. An owner that is not known shares the turns of its network, so an attacker
 * with many addresses of one network gains nothing. Zeroed at first, except for @network; then only fair_queue.c uses it.
 */
struct turn {
        struct turn *network; /* NULL: none */
        uint64_t last
                [2]; /* the number of its last turn with a large piece, with a small one; 0: none yet */
        size_t queued; /* pieces */
        bool is_known;
};

/* What is queued; embedded. */
struct piece {
        struct list link;
        struct turn *turn; /* of its owner */
        bool is_small;
        uint64_t came; /* its number; 0: none yet. A small piece that becomes large keeps it */
};

struct fair_queue {
        struct list small, large; /* in no order */
        size_t queued;
        size_t known; /* those of them that belong to known owners */
        uint64_t turns; /* the number of the newest turn */
        uint64_t came; /* pieces that it was given */
        unsigned small_in_row; /* since the last large one */
};

void fair_queue_init(struct fair_queue *queue);

/* @turn outlives its pieces. @is_small: takes little time, and is done before large ones. */
void fair_queue_put(
        struct fair_queue *queue, struct piece *piece, struct turn *turn, bool is_small);

/* The next piece, or the one to be given up if there are too many. Not of an empty queue. */
struct piece *fair_queue_take(struct fair_queue *queue);
struct piece *fair_queue_give_up(struct fair_queue *queue);

/* The owner is known now (it has finished a handshake): it has turns of its own. */
void fair_queue_know(struct fair_queue *queue, struct turn *turn);
