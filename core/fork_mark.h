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
        atomic_bool is_here; /* false: the page was emptied */
        bool compares; /* the kernel has no such pages, and @owner is compared */
        pid_t owner;
        atomic_uint references;
};

/* With one reference. NULL: no memory. */
struct fork_mark *fork_mark_new(void);

struct fork_mark *fork_mark_ref(struct fork_mark *mark);

/* Takes NULL. Not in a child. */
void fork_mark_unref(struct fork_mark *mark);

/* For kernels, and sandboxes, without such pages. */
bool fork_mark_compare(const struct fork_mark *mark);

/* Any thread. */
static inline bool fork_mark_is_inherited(const struct fork_mark *mark)
{
        return !atomic_load_explicit(&mark->is_here, memory_order_relaxed) ||
               (mark->compares && fork_mark_compare(mark));
}
