/* SPDX-License-Identifier: MIT */
#include "link/rings.h"

#include <errno.h>

static struct rings_guest *guest_of(struct list *link)
{
        return CONTAINER_OF(link, struct rings_guest, link);
}

/* ---- for the guest ---- */

int rings_join(struct quoit_rings *rings, struct rings_guest *guest)
{
        int r = 0;

        pthread_mutex_lock(&rings->mutex);
        if (rings->life == RINGS_NEW) {
                guest->rings = rings;
                list_append(&rings->guests, &guest->link);
        } else {
                r = -EBUSY;
        }
        pthread_mutex_unlock(&rings->mutex);
        return r;
}

int rings_leave(struct rings_guest *guest)
{
        struct quoit_rings *rings = guest->rings;
        int r = 0;

        if (!rings)
                return 0;
        pthread_mutex_lock(&rings->mutex);
        if (rings->life != RINGS_RUN)
                list_remove(&guest->link);
        else
                r = -EBUSY;
        pthread_mutex_unlock(&rings->mutex);
        return r;
}

/* ---- for the owner ---- */

void rings_init(struct quoit_rings *rings, unsigned count)
{
        rings->count = count;
        rings_set_life(rings, RINGS_NEW);
        atomic_init(&rings->idle, 0);
        pthread_mutex_init(&rings->mutex, NULL);
        list_init(&rings->guests);
}

void rings_deinit(struct quoit_rings *rings)
{
        struct list *link;

        while ((link = list_pop(&rings->guests)))
                guest_of(link)->rings = NULL;
        pthread_mutex_destroy(&rings->mutex);
}

void rings_begin(struct quoit_rings *rings, unsigned index, struct base *base)
{
        for (struct list *link = rings->guests.next; link != &rings->guests; link = link->next)
                guest_of(link)->on_begin(guest_of(link), index, base);
}

bool rings_note_idle(struct quoit_rings *rings)
{
        return atomic_fetch_add(&rings->idle, 1) + 1 == rings->count;
}

bool rings_are_idle(const struct quoit_rings *rings)
{
        return atomic_load(&rings->idle) == rings->count;
}

void rings_stop(struct quoit_rings *rings, unsigned index)
{
        for (struct list *link = rings->guests.next; link != &rings->guests; link = link->next)
                guest_of(link)->on_stop(guest_of(link), index);
}

bool rings_are_over(struct quoit_rings *rings, unsigned index)
{
        for (struct list *link = rings->guests.next; link != &rings->guests; link = link->next) {
                if (!guest_of(link)->is_over(guest_of(link), index))
                        return false;
        }
        return true;
}

void rings_end(struct quoit_rings *rings, unsigned index, bool is_broken)
{
        for (struct list *link = rings->guests.next; link != &rings->guests; link = link->next)
                guest_of(link)->on_end(guest_of(link), index, is_broken);
}
