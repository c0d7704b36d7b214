/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>

/*
 * What memory.c cuts its blocks from: memory mapped from the system, given back by pages_deinit().
 *
 * nghttp2 keeps a buffer for the largest frame with every session; an idle one has touched the
 * first few dozen of its 16 KiB. Taken from malloc, these bytes make a page resident, or two. So the
 * mapping is a row of slots, each a page and behind it the better part of a frame buffer, whose head
 * is the last bytes of the page. Small blocks fill the page, and the rest of the buffer is address
 * space that nobody has touched.
 *
 * Thread: its owner's only.
 */

#define PAGES_CUT_BYTES_MAX ((size_t)3840)
#define PAGES_FRAME_BYTES ((size_t)256 + 16384)

#define PAGES_AREAS 8

/* Free memory, in a list. */
struct pages_piece {
        struct pages_piece *next;
        size_t size;
};

/* What is left of a slot's page. */
struct pages_area {
        unsigned char *next;
        size_t left;
};

struct pages_slot;
struct pages_region;

struct pages {
        struct pages_area areas[PAGES_AREAS]; /* being cut, where it fits best */
        struct pages_piece *rests; /* of areas that had to make room */
        struct pages_piece *fronts; /* slots' pages whose frame buffer was wanted first */
        struct pages_piece *frames; /* frame buffers whose page was wanted first */
        struct pages_region *regions;
        size_t slots_left; /* in the first region */
};

/* Zeroed memory is fine as well. */
void pages_init(struct pages *pages);

/* All that was cut is gone. */
void pages_deinit(struct pages *pages);

/* @size is a multiple of 8, at most PAGES_CUT_BYTES_MAX; aligned to 8 bytes; NULL when there is no
 * memory. There is no way back: whoever cuts keeps a list of what is free. */
void *pages_cut(struct pages *pages, size_t size);

/* The same of PAGES_FRAME_BYTES. */
void *pages_cut_frame(struct pages *pages);
