/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Counts what a thread asks of malloc and memcpy. The program that links this replaces libc's
 * functions for itself and for every library that it loads (it must export its symbols), so what
 * nghttp2 and upb do counts too. Copies that the compiler made inline do not: they are of a few
 * bytes.
 */

#include <stdint.h>

struct counts {
        uint64_t allocations;  /* malloc and its kin, a realloc included */
        uint64_t copied_bytes; /* by memcpy, memmove, and a realloc that moved */
};

/* From now on what the calling thread does is counted. */
void counts_watch_this_thread(void);

/* What the watched threads have done so far. Any thread. */
struct counts counts_now(void);
