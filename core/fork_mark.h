/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Tells whether this process was forked from the one that made the mark: then no thread of that one is here, and locks may be held
 * for ever. Looking costs a load: the mark is a page that the kernel empties in a child (MADV_WIPEONFORK, madvise(2)).
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

struct fork_mark {
        const atomic_bool *
                page; /* true in this process; NULL: the kernel has no such pages, and @owner is compared */
        pid_t owner;
};

void fork_mark_init(struct fork_mark *mark);
void fork_mark_deinit(struct fork_mark *mark);

/* For kernels, and sandboxes, without such pages. */
bool fork_mark_compare(const struct fork_mark *mark);

/* Any thread. */
static inline bool fork_mark_is_inherited(const struct fork_mark *mark)
{
        return mark->page ? !atomic_load_explicit(mark->page, memory_order_relaxed)
                          : fork_mark_compare(mark);
}
