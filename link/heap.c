/* SPDX-License-Identifier: MIT */
#include "link/heap.h"

#include <malloc.h>

#define QUIET_SHARE 8 /* few still end: an eighth of the most in a second since the last trim */

static uint64_t on_work(struct work *work, struct coders *coders)
{
        (void)work;
        (void)coders;
#ifdef __GLIBC__
        (void)malloc_trim(0);
#endif
        return 0;
}

void heap_look(struct heap *heap)
{
        unsigned more = heap->ended - heap->ended_seen;
        bool is_first = heap->ended_seen == 0; /* `more` may be of many seconds */

        heap->ended_seen = heap->ended;
        if (is_first || !heap_is_used(heap))
                return;
        if (more > heap->most)
                heap->most = more;
        heap->work.on_work = on_work;
        if (more <= heap->most / QUIET_SHARE && workers_submit_idle(heap->threads, &heap->work))
                heap->ended = heap->ended_seen = heap->most = 0;
}
