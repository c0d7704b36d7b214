/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What memory.c cuts its blocks from: memory mapped from the system, which gets back what is free.
 *
 * nghttp2 keeps a buffer for the largest frame with every session; an idle one has touched the
 * first few dozen of its 16 KiB. Taken from malloc, these bytes make a page resident, or two. So the
 * mapping is a row of slots, each a page and behind it the better part of a frame buffer, whose head
 * is the last bytes of the page. Small blocks fill the page, the slot's front, and the rest of the
 * buffer is address space that nobody has touched.
 *
 * Fronts and frame buffers come and go by themselves; where both of a slot are free, none of it need be resident.
 *
 * Thread: its owner's only.
 */

#define PAGES_FRONT_BYTES ((size_t)3840)
#define PAGES_CUT_BYTES_MAX (PAGES_FRONT_BYTES - sizeof(struct pages_front))
#define PAGES_FRAME_BYTES ((size_t)256 + 16384)

#define PAGES_AREAS 8

/* How a front begins. */
struct pages_front {
        uint16_t cut_bytes;
        uint16_t idle_bytes; /* of those, what pages_count_idle() has found; 0 but within a trim */
        uint32_t unused;
};

/* What is left of a front, in a list. */
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
        struct pages_area areas[PAGES_AREAS]; /* being cut, where it fits best */
        struct pages_piece *rests; /* of areas that had to make room */
        struct pages_region *regions;
        struct pages_region *last; /* of them */
        struct pages_region *open[2]; /* before it in the list, none has a front free, a frame */
        bool is_touched; /* something that is free may be resident */
        size_t fronts; /* that are being cut, or were */
        size_t frames; /* that are out */
};

/* Zeroed memory is fine as well. */
void pages_init(struct pages *pages);

/* All that was cut is gone. */
void pages_deinit(struct pages *pages);

/*
 * @size is a multiple of 8, at most PAGES_CUT_BYTES_MAX; aligned to 8 bytes; NULL when there is no
 * memory. What is cut goes back with all of its front: whoever cuts keeps a list of what is free.
 */
void *pages_cut(struct pages *pages, size_t size);

/* The same of PAGES_FRAME_BYTES, which do go back: pages_free_frame(). */
void *pages_cut_frame(struct pages *pages);
void pages_free_frame(struct pages *pages, void *frame);

/*
 * How fronts go back. First pages_count_idle() is told of all cuts that are not in use; then pages_is_idle() tells for each
 * of them whether it lies in a front where nothing else is; pages_free_idle() makes these fronts free, to be cut anew, and all
 * that was cut from them is gone.
 */
void pages_count_idle(void *cut, size_t size);
bool pages_is_idle(void *cut);

void pages_free_idle(struct pages *pages);

/* What is free goes back to the system. */
void pages_give_back(struct pages *pages);
