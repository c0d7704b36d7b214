/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>

#include <nghttp2/nghttp2.h>

/*
 * The memory that nghttp2 sessions of one ring allocate from: free lists of small blocks. A stream
 * costs nghttp2 half a dozen allocations; in steady state all of them are a list's head here.
 *
 * Thread: its ring's only.
 */

#define MEMORY_CLASSES 8 /* 32, 64, 128 ... 4096 bytes, their header included */

struct memory_block;
struct memory_chunk;

struct memory {
        nghttp2_mem h2; /* what nghttp2_session_server_new3() takes */
        struct memory_block *free[MEMORY_CLASSES];
        struct memory_chunk *chunks; /* what the small blocks are cut from */
        unsigned char *chunk_next;
        size_t chunk_left;
        size_t live; /* blocks handed out */
};

/* Cannot fail; takes no memory before the first session. @memory must not move while in use. */
void memory_init(struct memory *memory);

/* Every session on it must be gone (asserted). */
void memory_deinit(struct memory *memory);
