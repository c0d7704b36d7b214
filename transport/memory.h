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
 * Thread: its ring's only.
 */

#define MEMORY_CLASSES 32

struct memory_block;

struct memory {
        nghttp2_mem h2; /* what nghttp2_session_server_new3() takes */
        struct memory_block *free[MEMORY_CLASSES + 1]; /* the last one stays empty: malloc's */
        struct pages pages;
        size_t live; /* blocks handed out */
};

/* Cannot fail; takes no memory before the first session. @memory must not move while in use. */
void memory_init(struct memory *memory);

/* Every session on it must be gone (asserted). */
void memory_deinit(struct memory *memory);
