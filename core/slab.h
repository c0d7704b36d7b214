/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * A pool of objects of one size for one thread: connections, calls, blocks of arenas. Freed objects are handed out again, last
 * in first out (still in the cache), so a steady state never allocates. Memory of a peak goes back to the system if the owner
 * calls slab_trim() now and then. Under AddressSanitizer free objects are poisoned, so that a use after free is found as with
 * malloc.
 *
 * Objects are cut from chunks, which are aligned to their size: an object's address gives its chunk. Chunks have no counters
 * that change with each object; slab_trim() counts free objects.
 */
struct slab_object;
struct slab_chunk;

struct slab {
        size_t object_bytes; /* rounded up to the alignment */
        size_t chunk_bytes; /* a power of two */
        size_t live;  /* handed out now */
        size_t total; /* cut from chunks: live, or free */
        struct slab_object *free;
        struct slab_object *idle; /* free too, and not needed since the last trim */
        unsigned char *fresh; /* the part of the newest chunk that was never handed out */
        size_t fresh_objects;
        struct slab_chunk *chunks;
        unsigned patience; /* trims to skip, ... */
        unsigned patience_next; /* ... and to skip after the next one that frees little, */
        size_t patience_live; /* unless far fewer objects are live than this */
};

/* Allocates nothing yet. Objects are aligned to 16 bytes. */
void slab_init(struct slab *slab, size_t object_bytes);

/* Asserts that every object was freed: so a leak of ours shows at teardown, in every build. */
void slab_deinit(struct slab *slab);

/* An object with undefined content, NULL when there is no memory. */
void *slab_alloc(struct slab *slab);

/* @object must be of this slab. Takes NULL. */
void slab_free(struct slab *slab, void *object);

/*
 * Called once a period, of about a second. If much is free, it frees the chunks that were not needed during the period, and the
 * pages of large free objects in other chunks. Returns how many bytes are left, live ones included.
 */
size_t slab_trim(struct slab *slab);

/* Frees all chunks that are free at this moment. */
void slab_reclaim(struct slab *slab);

/* Whether the next object needs another chunk from the system. */
static inline bool slab_is_exhausted(const struct slab *slab)
{
        return !slab->free && !slab->idle && slab->fresh_objects == 0;
}
