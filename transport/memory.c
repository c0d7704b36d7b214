/* SPDX-License-Identifier: MIT */
#include "transport/memory.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES_MIN ((size_t)32)
#define CHUNK_BYTES ((size_t)64 * 1024)
#define CLASS_LARGE MEMORY_CLASSES /* straight from malloc */

/* Precedes the bytes that nghttp2 sees; 16 bytes, so that those are aligned for anything. */
struct memory_block {
        size_t capacity; /* usable bytes behind this header */
        union {
                size_t class;
                struct memory_block *next; /* while free */
        };
};
static_assert(sizeof(struct memory_block) == 16, "keeps malloc's alignment");

struct memory_chunk {
        struct memory_chunk *next;
        max_align_t align[];
};

static size_t block_bytes(size_t class)
{
        return BLOCK_BYTES_MIN << class;
}

static size_t class_of(size_t size)
{
        size_t total = size + sizeof(struct memory_block);

        /* in this order: @total of a @size near SIZE_MAX is small */
        if (size > block_bytes(MEMORY_CLASSES - 1) - sizeof(struct memory_block))
                return CLASS_LARGE;
        if (total <= BLOCK_BYTES_MIN)
                return 0;
        return (size_t)(64 - __builtin_clzll(total - 1)) - 5;
}

static struct memory_block *block_of(void *pointer)
{
        return (struct memory_block *)pointer - 1;
}

static struct memory_block *block_cut(struct memory *memory, size_t bytes)
{
        struct memory_block *block;

        if (memory->chunk_left < bytes) {
                struct memory_chunk *chunk = malloc(sizeof(*chunk) + CHUNK_BYTES);

                if (!chunk)
                        return NULL;
                chunk->next = memory->chunks;
                memory->chunks = chunk;
                memory->chunk_next = (unsigned char *)chunk->align;
                memory->chunk_left = CHUNK_BYTES;
        }
        block = (struct memory_block *)memory->chunk_next;
        memory->chunk_next += bytes;
        memory->chunk_left -= bytes;
        return block;
}

static void *memory_malloc(size_t size, void *user)
{
        struct memory *memory = user;
        size_t class = class_of(size);
        struct memory_block *block;

        if (class == CLASS_LARGE) {
                if (size > SIZE_MAX - sizeof(*block))
                        return NULL;
                block = malloc(sizeof(*block) + size);
                if (!block)
                        return NULL;
                block->capacity = size;
        } else {
                block = memory->free[class];
                if (block)
                        memory->free[class] = block->next;
                else
                        block = block_cut(memory, block_bytes(class));
                if (!block)
                        return NULL;
                block->capacity = block_bytes(class) - sizeof(*block);
        }
        block->class = class;
        memory->live++;
        return block + 1;
}

static void memory_free(void *pointer, void *user)
{
        struct memory *memory = user;
        struct memory_block *block;
        size_t class;

        if (!pointer)
                return;
        block = block_of(pointer);
        class = block->class;
        memory->live--;
        if (class == CLASS_LARGE) {
                free(block);
                return;
        }
        block->next = memory->free[class];
        memory->free[class] = block;
}

static void *memory_calloc(size_t count, size_t size, void *user)
{
        void *pointer;

        if (__builtin_mul_overflow(count, size, &size))
                return NULL;
        pointer = memory_malloc(size, user);
        return pointer ? memset(pointer, 0, size) : NULL;
}

static void *memory_realloc(void *old, size_t size, void *user)
{
        void *pointer;

        if (old && block_of(old)->capacity >= size)
                return old;
        pointer = memory_malloc(size, user);
        if (!pointer || !old)
                return pointer;
        memcpy(pointer, old, block_of(old)->capacity);
        memory_free(old, user);
        return pointer;
}

void memory_init(struct memory *memory)
{
        *memory = (struct memory){
                .h2 = {
                        .mem_user_data = memory,
                        .malloc = memory_malloc,
                        .free = memory_free,
                        .calloc = memory_calloc,
                        .realloc = memory_realloc,
                },
        };
}

void memory_deinit(struct memory *memory)
{
        struct memory_chunk *chunk;

        assert(memory->live == 0);
        while ((chunk = memory->chunks)) {
                memory->chunks = chunk->next;
                free(chunk);
        }
}
