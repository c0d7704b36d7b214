/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>

/*
 * A pool of objects of one size for one thread: connections, streams, calls. Freed objects are
 * handed out again, last in first out (still in the cache); chunks stay until slab_deinit, so
 * memory follows the peak and a steady state never allocates. Under AddressSanitizer free objects
 * are poisoned: use after free is found as with malloc.
 */
struct slab_object;
struct slab_chunk;

struct slab {
        size_t object_bytes; /* rounded up to the alignment */
        size_t chunk_objects;
        size_t live;  /* handed out now */
        size_t total; /* in all chunks */
        struct slab_object *free;
        struct slab_chunk *chunks;
};

/* Allocates nothing yet. Objects are aligned to 16 bytes; @chunk_objects are allocated at a
 * time. */
void slab_init(struct slab *slab, size_t object_bytes, size_t chunk_objects);

/* Asserts that every object came back: a leak of ours shows at teardown, in every build. */
void slab_deinit(struct slab *slab);

/* An object with undefined content, NULL when there is no memory. */
void *slab_alloc(struct slab *slab);

/* @object must be of this slab; NULL is taken. */
void slab_free(struct slab *slab, void *object);
