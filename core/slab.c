/* SPDX-License-Identifier: MIT */
#include "core/slab.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/mapping.h"
#include "core/poison.h"

#define ALIGNMENT ((size_t)16)
#define CHUNK_BYTES_MIN ((size_t)256 << 10)
#define CHUNK_OBJECTS_MIN ((size_t)8)

/* A trim is not worth its time with less free than this many bytes and this part of all. */
#define TRIM_BYTES_MIN ((size_t)128 << 10)
#define TRIM_SHARE 4

#define PATIENCE_MAX 15u /* trims */

struct slab_object {
        struct slab_object *next;
        bool is_forgotten; /* its pages were returned to the system */
};

struct slab_chunk {
        struct slab_chunk *next;
        uint32_t cut; /* objects that were handed out at least once */
        uint32_t idle; /* of these, the idle ones; counted within a trim */
        _Alignas(ALIGNMENT) unsigned char objects[];
};

void slab_init(struct slab *slab, size_t object_bytes)
{
        size_t chunk_bytes = CHUNK_BYTES_MIN;

        static_assert(sizeof(struct slab_object) <= ALIGNMENT, "the smallest object holds it");
        assert(object_bytes > 0);
        object_bytes = (object_bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
        while (chunk_bytes < CHUNK_OBJECTS_MIN * object_bytes)
                chunk_bytes *= 2;
        *slab = (struct slab){ .object_bytes = object_bytes, .chunk_bytes = chunk_bytes };
}

static struct slab_chunk *chunk_of(const struct slab *slab, struct slab_object *object)
{
        return (struct slab_chunk *)((uintptr_t)object & ~(uintptr_t)(slab->chunk_bytes - 1));
}

static void chunk_free(const struct slab *slab, struct slab_chunk *chunk)
{
        unpoison(chunk, slab->chunk_bytes);
        mapping_free(chunk, slab->chunk_bytes);
}

void slab_deinit(struct slab *slab)
{
        struct slab_chunk *chunk;

        assert(slab->live == 0);
        while ((chunk = slab->chunks)) {
                slab->chunks = chunk->next;
                chunk_free(slab, chunk);
        }
        *slab = (struct slab){};
}

/* ---- in and out ---- */

static int grow(struct slab *slab)
{
        struct slab_chunk *chunk = mapping_new(slab->chunk_bytes, slab->chunk_bytes);

        if (!chunk)
                return -1;
        chunk->next = slab->chunks;
        slab->chunks = chunk;
        slab->fresh = chunk->objects;
        slab->fresh_objects = (slab->chunk_bytes - sizeof(*chunk)) / slab->object_bytes;
        return 0;
}

static struct slab_object *take_fresh(struct slab *slab)
{
        struct slab_object *object;

        if (slab->fresh_objects == 0 && grow(slab) < 0)
                return NULL;
        object = (struct slab_object *)slab->fresh;
        slab->fresh += slab->object_bytes;
        slab->fresh_objects--;
        slab->total++;
        slab->chunks->cut++;
        return object;
}

/* Only idle objects are free. Not inlined into slab_alloc(), which then needs no stack frame. */
__attribute__((noinline)) static void *alloc_anew(struct slab *slab)
{
        struct slab_object *object = slab->idle;

        if (object) {
                unpoison(object, slab->object_bytes);
                slab->idle = object->next;
        } else {
                object = take_fresh(slab);
        }
        if (object)
                slab->live++;
        return object;
}

void *slab_alloc(struct slab *slab)
{
        struct slab_object *object = slab->free;

        if (!object)
                return alloc_anew(slab);
        unpoison(object, slab->object_bytes);
        slab->free = object->next;
        slab->live++;
        return object;
}

void slab_free(struct slab *slab, void *memory)
{
        struct slab_object *object = memory;

        if (!object)
                return;
        assert(slab->live > 0);
        slab->live--;
        *object = (struct slab_object){ .next = slab->free };
        slab->free = object;
        poison(object, slab->object_bytes);
}

/* ---- memory left by a peak ---- */

/* The only part of a free object that is not poisoned. */
static struct slab_object *next_of(struct slab_object *object)
{
        struct slab_object *next;

        unpoison(object, sizeof(*object));
        next = object->next;
        poison(object, sizeof(*object));
        return next;
}

static void set_next(struct slab_object *object, struct slab_object *next)
{
        unpoison(object, sizeof(*object));
        object->next = next;
        poison(object, sizeof(*object));
}

/* Counts the idle objects in their chunks; returns how many there are. */
static size_t count_idle(struct slab *slab)
{
        size_t count = 0;

        for (struct slab_object *object = slab->idle; object; object = next_of(object)) {
                chunk_of(slab, object)->idle++;
                count++;
        }
        return count;
}

static bool is_idle(const struct slab_chunk *chunk)
{
        return chunk->idle == chunk->cut;
}

/* Except pages that it shares with a neighbour. */
static void forget_pages(const struct slab *slab, struct slab_object *object)
{
        uintptr_t mask = ~(uintptr_t)(MAPPING_PAGE_BYTES - 1);
        uintptr_t first = ((uintptr_t)(object + 1) + MAPPING_PAGE_BYTES - 1) & mask;
        uintptr_t last = ((uintptr_t)object + slab->object_bytes) & mask;

        if (last <= first)
                return;
        unpoison(object, sizeof(*object));
        if (!object->is_forgotten)
                mapping_forget((void *)first, last - first);
        object->is_forgotten = true;
        poison(object, sizeof(*object));
}

/* The idle objects whose chunk stays. */
static struct slab_object *sort_out(struct slab *slab)
{
        struct slab_object *kept = NULL, *last = NULL, *next;

        for (struct slab_object *object = slab->idle; object; object = next) {
                next = next_of(object);
                if (is_idle(chunk_of(slab, object)))
                        continue;
                forget_pages(slab, object);
                if (last)
                        set_next(last, object);
                else
                        kept = object;
                last = object;
        }
        if (last)
                set_next(last, NULL);
        return kept;
}

/* Objects that were free a moment ago are used first: the others stay idle. */
static void age(struct slab *slab)
{
        struct slab_object *last = slab->free, *next;

        if (!last)
                return;
        while ((next = next_of(last)))
                last = next;
        set_next(last, slab->idle);
        slab->idle = slab->free;
        slab->free = NULL;
}

/* Returns how many objects were in them. */
static size_t free_idle_chunks(struct slab *slab)
{
        struct slab_chunk **place = &slab->chunks;
        struct slab_chunk *chunk;
        size_t count = 0;

        if (slab->chunks && is_idle(slab->chunks))
                slab->fresh_objects = 0;
        while ((chunk = *place)) {
                if (!is_idle(chunk)) {
                        chunk->idle = 0;
                        place = &chunk->next;
                        continue;
                }
                *place = chunk->next;
                count += chunk->cut;
                chunk_free(slab, chunk);
        }
        return count;
}

static bool is_worth_trimming(const struct slab *slab)
{
        size_t spare = slab->total - slab->live;

        return spare * slab->object_bytes >= TRIM_BYTES_MIN && spare >= slab->total / TRIM_SHARE;
}

/* Returns how many objects were in the idle chunks. */
static size_t free_idle(struct slab *slab)
{
        size_t gone;

        slab->idle = sort_out(slab);
        gone = free_idle_chunks(slab);
        slab->total -= gone;
        return gone;
}

static void trim(struct slab *slab)
{
        size_t idle, gone;

        if (slab->patience > 0 && slab->live > slab->patience_live / 4 * 3) {
                slab->patience--;
                return;
        }
        idle = count_idle(slab);
        gone = free_idle(slab);
        age(slab);
        /* where objects in use keep every chunk, do not walk through all of them each time for nothing */
        slab->patience_next = gone < idle / 8 ? slab->patience_next * 2 + 1 : 0;
        if (slab->patience_next > PATIENCE_MAX)
                slab->patience_next = PATIENCE_MAX;
        slab->patience = slab->patience_next;
        slab->patience_live = slab->live;
}

size_t slab_trim(struct slab *slab)
{
        if (is_worth_trimming(slab))
                trim(slab);
        return slab->total * slab->object_bytes;
}

void slab_reclaim(struct slab *slab)
{
        age(slab);
        count_idle(slab);
        free_idle(slab);
}
