/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>

#include <nghttp2/nghttp2.h>

#include "transport/pages.h"

/*
 * The memory that nghttp2 sessions of one ring allocate from: free lists of blocks by size. nghttp2
 * makes half a dozen allocations for a stream; in steady state each takes the head of a list. Blocks
 * are aligned to 8 bytes: nghttp2 keeps nothing in them that is wider than a pointer.
 *
 * A peer chooses the sizes. One that uses another size each time must not make us keep blocks of all
 * sizes: a page whose blocks are all free is cut again, into other sizes. Allocating and freeing count
 * nothing. Free blocks are counted by page in memory_trim(), and before a heap with a quarter of its
 * blocks free takes more pages.
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
        size_t recut_at; /* with so many blocks cut, free ones are counted before another front is cut */
        unsigned patience; /* how many trims to skip, ... */
        unsigned patience_next; /* ... and how many after the next trim that frees little */
        size_t patience_live; /* skipping ends when far fewer blocks than this are live */
};

/* Cannot fail; takes no memory before the first session. @memory must not move while in use. */
void memory_init(struct memory *memory);

/*
 * Call it every second or so: pages that were not needed since the last call are given back to the system, if they are many.
 * Returns how many bytes are left, live ones included.
 */
size_t memory_trim(struct memory *memory);

/*
 * The memory that peers can make it hold, free blocks included. A session's frame buffer is not counted: nghttp2 writes only the
 * headers of frames there, so most of it is never touched.
 */
static inline size_t memory_bytes(const struct memory *memory)
{
        return memory->pages.fronts * PAGES_FRONT_BYTES + memory->malloc_bytes;
}

/* When every session on it is freed (asserted). */
void memory_deinit(struct memory *memory);
