/* SPDX-License-Identifier: MIT */
#include "link/heap.h"

#include <malloc.h>

#define QUIET_SHARE 8 /* few still end: less than an eighth of all within a second */

static uint64_t on_work(struct work *work, struct coders *coders)
{
        struct heap *heap = CONTAINER_OF(work, struct heap, work);

        (void)coders;
#ifdef __GLIBC__
        (void)malloc_trim(0);
#endif
        atomic_store(&heap->is_trimming, false);
        return 0;
}

static void trim(struct heap *heap)
{
        if (atomic_exchange(&heap->is_trimming, true))
                return;
        heap->work.on_work = on_work;
        if (workers_submit_idle(heap->threads, &heap->work))
                heap->ended = heap->ended_seen = 0;
        else
                atomic_store(&heap->is_trimming, false);
}

void heap_look(struct heap *heap)
{
        unsigned more = heap->ended - heap->ended_seen;

        heap->ended_seen = heap->ended;
        if (heap_is_used(heap) && more < heap->ended / QUIET_SHARE)
                trim(heap);
}
