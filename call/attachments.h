/* SPDX-License-Identifier: MIT */
#pragma once

/* What interceptors attach to a call: values by keys, which are addresses. A list in the call's arena. */

#include <stddef.h>

struct attachment {
        struct attachment *next;
        const void *key;
        void *value;
};

/* The one of @key; NULL: there is none. */
static inline struct attachment *attachments_find(struct attachment *first, const void *key)
{
        while (first && first->key != key)
                first = first->next;
        return first;
}

/* Adds @fresh, which is not initialized, for a key that has none. */
static inline void attachments_add(
        struct attachment **first, struct attachment *fresh, const void *key, void *value)
{
        *fresh = (struct attachment){ .next = *first, .key = key, .value = value };
        *first = fresh;
}
