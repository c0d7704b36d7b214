/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Memory directly from the system. Freed mappings return to the system at once; memory freed to malloc can stay with the
 * process as long as something behind it is in use.
 */

#include <stddef.h>

/* The largest page of the machines that matter: parts are released in multiples of it. */
#define MAPPING_PAGE_BYTES ((size_t)4096)

/*
 * @size bytes of zeroes, which become resident when they are touched; NULL: no memory. Aligned to @alignment, a power of two
 * and a multiple of the page size; 0: to a page.
 */
void *mapping_new(size_t size, size_t alignment);

/* How many mappings any thread has made so far: if it has not changed, no pool has grown. */
size_t mappings_made(void);

/* Unmaps a whole mapping, with the size it was made with. Nothing of it may be poisoned any more. Takes NULL. */
void mapping_free(void *mapping, size_t size);

/* Discards the contents of these pages: they read as zeroes and are no longer resident. */
void mapping_forget(void *first, size_t size);
