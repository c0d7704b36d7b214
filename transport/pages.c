/* SPDX-License-Identifier: MIT */
#include "transport/pages.h"

#include <assert.h>
#include <sys/mman.h>

#include "core/poison.h"

/* Where a page is larger than this, frame buffers share theirs with less, and all else holds. */
#define PAGE_BYTES ((size_t)4096)
#define REGION_SLOTS ((size_t)127) /* with the header's page not quite 2.5 MiB */

#define REST_BYTES_MIN ((size_t)256) /* less is not kept: it would hide larger ones */

struct pages_slot {
        unsigned char front[PAGES_CUT_BYTES_MAX];
        unsigned char frame[PAGES_FRAME_BYTES];
};
static_assert(sizeof(struct pages_slot) % PAGE_BYTES == 0, "every front begins a page");
static_assert(PAGES_CUT_BYTES_MAX < PAGE_BYTES, "and every frame's head is in it");

struct pages_region {
        struct pages_region *next;
        _Alignas(PAGE_BYTES) struct pages_slot slots[REGION_SLOTS];
};

void pages_init(struct pages *pages)
{
        *pages = (struct pages){};
}

void pages_deinit(struct pages *pages)
{
        struct pages_region *region;

        while ((region = pages->regions)) {
                pages->regions = region->next;
                unpoison(region, sizeof(*region)); /* what its owner had free */
                (void)munmap(region, sizeof(*region));
        }
        *pages = (struct pages){};
}

static int region_map(struct pages *pages)
{
        struct pages_region *region = mmap(NULL, sizeof(*region), PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

        if (region == MAP_FAILED)
                return -1;
        /* A huge page would make all of it resident. Kernels without these refuse, rightly. */
        (void)madvise(region, sizeof(*region), MADV_NOHUGEPAGE);
        region->next = pages->regions;
        pages->regions = region;
        pages->slots_left = REGION_SLOTS;
        return 0;
}

/* In the order of their addresses. */
static struct pages_slot *slot_take(struct pages *pages)
{
        if (pages->slots_left == 0 && region_map(pages) < 0)
                return NULL;
        return pages->regions->slots + REGION_SLOTS - pages->slots_left--;
}

static void piece_push(struct pages_piece **list, void *bytes, size_t size)
{
        struct pages_piece *piece = bytes;

        *piece = (struct pages_piece){ .next = *list, .size = size };
        *list = piece;
}

static void *piece_pop(struct pages_piece **list)
{
        struct pages_piece *piece = *list;

        if (piece)
                *list = piece->next;
        return piece;
}

static void *front_take(struct pages *pages)
{
        void *front = piece_pop(&pages->fronts);
        struct pages_slot *slot;

        if (front)
                return front;
        slot = slot_take(pages);
        if (!slot)
                return NULL;
        piece_push(&pages->frames, slot->frame, sizeof(slot->frame));
        return slot->front;
}

void *pages_cut_frame(struct pages *pages)
{
        void *frame = piece_pop(&pages->frames);
        struct pages_slot *slot;

        if (frame)
                return frame;
        slot = slot_take(pages);
        if (!slot)
                return NULL;
        piece_push(&pages->fronts, slot->front, sizeof(slot->front));
        return slot->frame;
}

/* The area that has the least left of those with @size; NULL when none has. */
static struct pages_area *area_best(struct pages *pages, size_t size)
{
        struct pages_area *best = NULL;

        for (size_t i = 0; i < PAGES_AREAS; i++) {
                struct pages_area *area = pages->areas + i;

                if (area->left >= size && (!best || area->left < best->left))
                        best = area;
        }
        return best;
}

/* One with room for @size in the place of the one that has the least left. */
static struct pages_area *area_new(struct pages *pages, size_t size)
{
        struct pages_area *area = area_best(pages, 0);
        struct pages_area fresh;

        if (pages->rests && pages->rests->size >= size) {
                fresh.left = pages->rests->size;
                fresh.next = piece_pop(&pages->rests);
        } else {
                fresh.left = PAGES_CUT_BYTES_MAX;
                fresh.next = front_take(pages);
        }
        if (!fresh.next)
                return NULL;
        if (area->left >= REST_BYTES_MIN)
                piece_push(&pages->rests, area->next, area->left);
        *area = fresh;
        return area;
}

void *pages_cut(struct pages *pages, size_t size)
{
        struct pages_area *area = area_best(pages, size);
        void *cut;

        assert(size <= PAGES_CUT_BYTES_MAX);
        if (!area)
                area = area_new(pages, size);
        if (!area)
                return NULL;
        cut = area->next;
        area->next += size;
        area->left -= size;
        return cut;
}
