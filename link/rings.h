/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Rings that their owner, a server, lends to guests: clients. Neither knows the other. A guest joins before the rings begin, and uses
 * each on its own thread, with connections of its own on the base and a call host of its own (base_init_host()).
 */

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include <quoit/rings.h>

#include "core/list.h"

struct base;

struct rings_guest {
        struct quoit_rings *rings; /* NULL: it is no guest, or their owner was freed */
        struct list link;
        /* A ring, of this number, begins. This and the others run on its thread. */
        void (*on_begin)(struct rings_guest *guest, unsigned index, struct base *base);
        /* The owner has nothing left to do, on any of its rings: the guest's connections and calls on this one shall end. */
        void (*on_stop)(struct rings_guest *guest, unsigned index);
        /* Whether they have. */
        bool (*is_over)(struct rings_guest *guest, unsigned index);
        /* There are no more turns. @is_broken: as the ring refuses them, whatever is left. */
        void (*on_end)(struct rings_guest *guest, unsigned index, bool is_broken);
};

enum rings_life {
        RINGS_NEW,
        RINGS_RUN,
        RINGS_ENDED, /* or could not begin */
};

struct quoit_rings {
        unsigned count;
        atomic_uint idle; /* of these: their owner has nothing left to do */
        _Atomic enum rings_life life;
        pthread_mutex_t mutex;
        struct list guests; /* under the mutex; they do not change while the rings run */
};

/* ---- for the guest, on any thread ---- */

/* 0, or -EBUSY: they run, or have ended. */
int rings_join(struct quoit_rings *rings, struct rings_guest *guest);

/* 0, or -EBUSY: they run. No-op for who is no guest. */
int rings_leave(struct rings_guest *guest);

/* ---- for the owner ---- */

void rings_init(struct quoit_rings *rings, unsigned count);

/* Guests that are left are none any more. The rings do not run. */
void rings_deinit(struct quoit_rings *rings);

static inline void rings_set_life(struct quoit_rings *rings, enum rings_life life)
{
        atomic_store(&rings->life, life);
}

/* On the thread of ring @index, between the first and the last of its turns. */
void rings_begin(struct quoit_rings *rings, unsigned index, struct base *base);

/* The owner has nothing left to do on one more ring. True: nor on the others, and they are to be woken. Any of their threads. */
bool rings_note_idle(struct quoit_rings *rings);

/* Whether that is so for all. Any thread. */
bool rings_are_idle(const struct quoit_rings *rings);

/* Whether guests have to be waited for. While the rings run. */
static inline bool rings_have_guests(const struct quoit_rings *rings)
{
        return !list_is_empty(&rings->guests);
}

/* As the functions of all guests. */
void rings_stop(struct quoit_rings *rings, unsigned index);
bool rings_are_over(struct quoit_rings *rings, unsigned index);

/* There are no more turns. */
void rings_end(struct quoit_rings *rings, unsigned index, bool is_broken);
