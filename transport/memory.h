/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>

#include <nghttp2/nghttp2.h>

#include "transport/pages.h"

/*
 * The memory that nghttp2 sessions of one ring allocate from: free lists of blocks by size. A stream
 * costs nghttp2 half a dozen allocations; in steady state all of them are a list's head here. Blocks
 * are aligned to 8 bytes: nghttp2 keeps nothing in them that is wider than a pointer.
 *
 * Sizes are the peer's choice, and one that asks for another size each time must not make us keep
 * blocks of all of them: where all blocks of a page are free it is cut anew. Nothing is counted when
 * blocks come and go. Before a growing heap takes more pages, if a quarter of its blocks are free, and in
 * memory_trim(), the free ones are counted by page.
 *
 * Thread: its ring's only.
 */

#define MEMORY_CLASSES 32

struct memory_block;

struct memory {
        nghttp2_mem h2; /* what nghttp2_session_server_new3() takes */
        struct memory_block *free[MEMORY_CLASSES + 1]; /* the last one stays empty: malloc's */
        struct memory_block *idle[MEMORY_CLASSES]; /* free, and not needed since the last trim */
        struct pages pages;
        size_t live; /* blocks handed out */
        size_t mallocs; /* of those, malloc's */
        size_t malloc_bytes; /* in these */
        size_t cut; /* blocks of pages: live, or free */
        size_t recut_at; /* with so many, free ones are looked at before another front is cut */
        unsigned patience; /* trims to be left out, ... */
        unsigned patience_next; /* ... and after the next one that brings little */
        size_t patience_live; /* as long as not far fewer are live than this */
};

/* Cannot fail; takes no memory before the first session. @memory must not move while in use. */
void memory_init(struct memory *memory);

/*
 * A period is over, some second or so: pages that nobody has needed in it go back to the system, if that is much. Returns
 * how many bytes are left, live ones included.
 */
size_t memory_trim(struct memory *memory);

/*
 * What peers can make it hold, free blocks included. A session's frame buffer is not counted: nghttp2 writes the heads of frames
 * there, so that the rest of it is never touched.
 */
static inline size_t memory_bytes(const struct memory *memory)
{
        return memory->pages.fronts * PAGES_FRONT_BYTES + memory->malloc_bytes;
}

/* Every session on it must be gone (asserted). */
void memory_deinit(struct memory *memory);
