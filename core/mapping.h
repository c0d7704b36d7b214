/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Memory from the system itself, which gets it back at once: what malloc is given back stays with the
 * process where something that is in use lies behind it.
 */

#include <stddef.h>

/* No page is larger on the machines that matter, so neither is what is given back in parts. */
#define MAPPING_PAGE_BYTES ((size_t)4096)

/*
 * @size bytes of zeroes, of which only those are resident that are touched; NULL: no memory. Aligned to
 * @alignment, a power of two of some pages; 0: to a page.
 */
void *mapping_new(size_t size, size_t alignment);

/* How many were made, ever, by any thread: whoever looks now and then sees whether there may be more than there was. */
size_t mappings_made(void);

/* Whole, with the size it was made with. Nothing of it may be poisoned any more. NULL is taken. */
void mapping_free(void *mapping, size_t size);

/* What is in these pages is not wanted any more: they read as zeroes, and are not resident. */
void mapping_forget(void *first, size_t size);
