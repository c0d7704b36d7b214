/* SPDX-License-Identifier: MIT */
#include "core/fork_mark.h"

#include <sys/mman.h>
#include <unistd.h>

#include "core/mapping.h"

struct fork_mark *fork_mark_new(void)
{
        struct fork_mark *mark = mapping_new(MAPPING_PAGE_BYTES, 0);

        if (!mark)
                return NULL;
        mark->compares = madvise(mark, MAPPING_PAGE_BYTES, MADV_WIPEONFORK) < 0;
        mark->owner = getpid();
        atomic_init(&mark->references, 1);
        atomic_init(&mark->is_here, true);
        return mark;
}

struct fork_mark *fork_mark_ref(struct fork_mark *mark)
{
        atomic_fetch_add(&mark->references, 1);
        return mark;
}

void fork_mark_unref(struct fork_mark *mark)
{
        if (mark && atomic_fetch_sub(&mark->references, 1) == 1)
                mapping_free(mark, MAPPING_PAGE_BYTES);
}

bool fork_mark_compare(const struct fork_mark *mark)
{
        return getpid() != mark->owner;
}
