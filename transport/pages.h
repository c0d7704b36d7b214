/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The pages that memory.c cuts its blocks from. They are mapped, and given back to the system when they are free.
 *
 * nghttp2 has a buffer of 16 KiB for the largest frame in every session; an idle session touches only its
 * first few dozen bytes. From malloc, these bytes would make one or two pages resident. So the mapping is a
 * row of slots, each a page and then most of a frame buffer, whose head is the last bytes of that page.
 * Small blocks fill the rest of the page, the slot's front. The rest of the buffer is address space that is
 * never touched.
 *
 * Fronts and frame buffers are used and freed independently. If both of a slot are free it need not be resident.
 *
 * Thread: its owner's only.
 */

#define PAGES_FRONT_BYTES ((size_t)3840)
#define PAGES_CUT_BYTES_MAX (PAGES_FRONT_BYTES - sizeof(struct pages_front))
#define PAGES_FRAME_BYTES ((size_t)256 + 16384)

#define PAGES_AREAS 8

/* The header of a front. */
struct pages_front {
        uint16_t cut_bytes;
        uint16_t idle_bytes; /* of those, found by pages_count_idle(); 0 outside a trim */
        uint32_t unused;
};

/* The rest of a front that was not cut, in a list. */
struct pages_piece {
        struct pages_piece *next;
        size_t size;
};

/* The same, while it is being cut. */
struct pages_area {
        unsigned char *next;
        size_t left;
};

struct pages_region;

struct pages {
        struct pages_area areas[PAGES_AREAS]; /* being cut; the best fit is taken */
        struct pages_piece *rests; /* of areas that were replaced */
        struct pages_region *regions;
        struct pages_region *last;
        struct pages_region
                *open[2]; /* no region before it in the list has a free front; a free frame */
        bool is_touched; /* free memory may be resident */
        size_t fronts; /* that are being cut, or were */
        size_t frames; /* in use */
};

/* Zeroed memory is fine as well. */
void pages_init(struct pages *pages);

/* Unmaps all memory. */
void pages_deinit(struct pages *pages);

/*
 * @size is a multiple of 8, at most PAGES_CUT_BYTES_MAX; aligned to 8 bytes; NULL when there is no
 * memory. A block is only given back together with its front: the caller keeps lists of free blocks.
 */
void *pages_cut(struct pages *pages, size_t size);

/* The same for PAGES_FRAME_BYTES, which pages_free_frame() gives back. */
void *pages_cut_frame(struct pages *pages);
void pages_free_frame(struct pages *pages, void *frame);

/*
 * How fronts are freed. First call pages_count_idle() for all blocks that are not in use. Then pages_is_idle() says for each
 * whether it lies in a front without used blocks. pages_free_idle() frees these fronts with all their blocks; they can be cut
 * again.
 */
void pages_count_idle(void *cut, size_t size);
bool pages_is_idle(void *cut);

void pages_free_idle(struct pages *pages);

/* Gives free memory back to the system. */
void pages_give_back(struct pages *pages);
