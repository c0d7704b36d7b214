/* SPDX-License-Identifier: MIT */
#include "core/fork_mark.h"

#include <sys/mman.h>
#include <unistd.h>

#include "core/mapping.h"

void fork_mark_init(struct fork_mark *mark)
{
        atomic_bool *page = mapping_new(MAPPING_PAGE_BYTES, 0);

        mark->owner = getpid();
        mark->page = NULL;
        if (page && madvise(page, MAPPING_PAGE_BYTES, MADV_WIPEONFORK) == 0) {
                atomic_init(page, true);
                mark->page = page;
        } else {
                mapping_free(page, MAPPING_PAGE_BYTES);
        }
}

void fork_mark_deinit(struct fork_mark *mark)
{
        mapping_free((void *)mark->page, MAPPING_PAGE_BYTES);
}

bool fork_mark_compare(const struct fork_mark *mark)
{
        return getpid() != mark->owner;
}
