/* SPDX-License-Identifier: MIT */
#include "core/slab.h"
#include "core/poison.h"

#include <assert.h>
#include <stdlib.h>

enum { SLAB_ALIGNMENT = 16 };

struct slab_object {
        struct slab_object *next;
};

struct slab_chunk {
        struct slab_chunk *next;
        _Alignas(SLAB_ALIGNMENT) unsigned char objects[];
};

void slab_init(struct slab *slab, size_t object_bytes, size_t chunk_objects)
{
        assert(object_bytes > 0 && chunk_objects > 0);
        *slab = (struct slab){
                .object_bytes =
                        (object_bytes + SLAB_ALIGNMENT - 1) / SLAB_ALIGNMENT * SLAB_ALIGNMENT,
                .chunk_objects = chunk_objects,
        };
}

void slab_deinit(struct slab *slab)
{
        struct slab_chunk *chunk = slab->chunks;

        assert(slab->live == 0);
        while (chunk) {
                struct slab_chunk *next = chunk->next;

                unpoison(chunk->objects, slab->chunk_objects * slab->object_bytes);
                free(chunk);
                chunk = next;
        }
        *slab = (struct slab){};
}

static void slab_push(struct slab *slab, struct slab_object *object)
{
        object->next = slab->free;
        slab->free = object;
        poison(object, slab->object_bytes);
}

static int slab_grow(struct slab *slab)
{
        struct slab_chunk *chunk =
                malloc(sizeof(*chunk) + slab->chunk_objects * slab->object_bytes);

        if (!chunk)
                return -1;
        chunk->next = slab->chunks;
        slab->chunks = chunk;
        slab->total += slab->chunk_objects;
        /* Backwards, so that objects are handed out in the order of their addresses. */
        for (size_t i = slab->chunk_objects; i-- > 0;)
                slab_push(slab, (struct slab_object *)(chunk->objects + i * slab->object_bytes));
        return 0;
}

void *slab_alloc(struct slab *slab)
{
        struct slab_object *object;

        if (!slab->free && slab_grow(slab) < 0)
                return NULL;
        object = slab->free;
        unpoison(object, slab->object_bytes);
        slab->free = object->next;
        slab->live++;
        return object;
}

void slab_free(struct slab *slab, void *object)
{
        if (!object)
                return;
        assert(slab->live > 0);
        slab->live--;
        slab_push(slab, object);
}
