/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * Intrusive doubly linked list. A `struct list` is both a list's head and a member's link. A link
 * that is in no list is a ring of one (after list_init or list_remove), so that "is it queued?"
 * needs no flag of its own.
 */
struct list {
        struct list *next;
        struct list *prev;
};

#define CONTAINER_OF(pointer, type, member) ((type *)((char *)(pointer) - offsetof(type, member)))

static inline void list_init(struct list *list)
{
        list->next = list;
        list->prev = list;
}

/* For a head: whether it has no members. For a link: whether it is in no list. */
static inline bool list_is_empty(const struct list *list)
{
        return list->next == list;
}

/* Queues @link as the last of @head. @link must be in no list. */
static inline void list_append(struct list *head, struct list *link)
{
        link->prev = head->prev;
        link->next = head;
        head->prev->next = link;
        head->prev = link;
}

/* Takes @link out of its list; no-op when it is in none. */
static inline void list_remove(struct list *link)
{
        link->prev->next = link->next;
        link->next->prev = link->prev;
        list_init(link);
}

/* Takes the first link out, NULL when there is none. */
static inline struct list *list_pop(struct list *head)
{
        struct list *first = head->next;

        if (first == head)
                return NULL;
        list_remove(first);
        return first;
}

/* Moves all of @from behind the members of @to; @from is empty afterwards. */
static inline void list_splice(struct list *to, struct list *from)
{
        if (list_is_empty(from))
                return;
        from->next->prev = to->prev;
        from->prev->next = to;
        to->prev->next = from->next;
        to->prev = from->prev;
        list_init(from);
}
