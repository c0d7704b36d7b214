/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * A pool of objects of one size for one thread: connections, calls, blocks of arenas. Freed objects are
 * handed out again, last in first out (still in the cache), so a steady state never allocates. What a
 * peak took goes back to the system, if the owner calls slab_trim() now and then. Under
 * AddressSanitizer free objects are poisoned: use after free is found as with malloc.
 *
 * Objects are cut from chunks, which are aligned to their size: an object's chunk is known by its
 * address. Nothing is counted in chunks when objects come and go; slab_trim() counts what is free.
 */
struct slab_object;
struct slab_chunk;

struct slab {
        size_t object_bytes; /* rounded up to the alignment */
        size_t chunk_bytes; /* a power of two */
        size_t live;  /* handed out now */
        size_t total; /* cut from chunks: live, or free */
        struct slab_object *free;
        struct slab_object *idle; /* free as well, and nobody has needed them since the last trim */
        unsigned char *fresh; /* what nobody has had yet, of the newest chunk */
        size_t fresh_objects;
        struct slab_chunk *chunks;
        unsigned patience; /* trims to be left out, ... */
        unsigned patience_next; /* ... and after the next one that brings little */
        size_t patience_live; /* as long as not far fewer are live than this */
};

/* Allocates nothing yet. Objects are aligned to 16 bytes. */
void slab_init(struct slab *slab, size_t object_bytes);

/* Asserts that every object came back: a leak of ours shows at teardown, in every build. */
void slab_deinit(struct slab *slab);

/* An object with undefined content, NULL when there is no memory. */
void *slab_alloc(struct slab *slab);

/* @object must be of this slab; NULL is taken. */
void slab_free(struct slab *slab, void *object);

/*
 * A period is over, some second or so. If much is free: gives back the chunks that nobody has needed in it, and the
 * pages of large free objects in the others. Returns how many bytes are left, live ones included.
 */
size_t slab_trim(struct slab *slab);

/* Gives back the chunks that are free this moment, whoever needed them last. */
void slab_reclaim(struct slab *slab);

/* The next object takes another chunk from the system. */
static inline bool slab_is_exhausted(const struct slab *slab)
{
        return !slab->free && !slab->idle && slab->fresh_objects == 0;
}
