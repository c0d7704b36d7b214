/* SPDX-License-Identifier: MIT */
#include "transport/memory.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/poison.h"

/*
 * Classes by capacity: every 16 bytes up to 256; above, four a doubling; and one for frame buffers.
 * Little is lost by rounding up, so that a session with its tables fits into as few pages as it can.
 */
#define STEP_BYTES ((size_t)16)
#define STEPS ((size_t)16)
#define CUT_BYTES_MAX ((size_t)3584)
#define CLASS_FRAME ((size_t)MEMORY_CLASSES - 1)
#define CLASS_MALLOC ((size_t)MEMORY_CLASSES) /* straight from malloc and back */

struct memory_block {
        uint32_t class;
        uint32_t capacity; /* usable bytes */
        union {
                struct memory_block *next; /* while free */
                unsigned char bytes[STEP_BYTES]; /* and more, what nghttp2 sees */
        };
};

#define HEADER_BYTES offsetof(struct memory_block, bytes)
#define FRAME_BYTES_MAX (PAGES_FRAME_BYTES - HEADER_BYTES)
#define FRAME_BYTES_MIN (FRAME_BYTES_MAX / 2) /* less is not worth the room */

static_assert(HEADER_BYTES == 8, "keeps the alignment");
static_assert(HEADER_BYTES + CUT_BYTES_MAX <= PAGES_CUT_BYTES_MAX, "the largest can be cut");

static unsigned quarter_bits(size_t size)
{
        return 61 - (unsigned)__builtin_clzll(size - 1);
}

static size_t class_of(size_t size)
{
        if (size <= STEP_BYTES * STEPS)
                return (size - (size > 0)) / STEP_BYTES;
        if (size <= CUT_BYTES_MAX) {
                unsigned bits = quarter_bits(size);

                return STEPS + (bits - 6) * 4 + ((size - 1) >> bits) - 4;
        }
        return size > FRAME_BYTES_MIN && size <= FRAME_BYTES_MAX ? CLASS_FRAME : CLASS_MALLOC;
}

/* Of the class that @size belongs to. */
static size_t capacity_of(size_t class, size_t size)
{
        unsigned bits;

        if (class < STEPS)
                return (class + 1) * STEP_BYTES;
        if (class == CLASS_FRAME)
                return FRAME_BYTES_MAX;
        if (class == CLASS_MALLOC)
                return size;
        bits = quarter_bits(size);
        return (((size - 1) >> bits) + 1) << bits;
}

static struct memory_block *block_of(void *pointer)
{
        return (struct memory_block *)((unsigned char *)pointer - HEADER_BYTES);
}

/* Kept out of memory_malloc(), which then needs no stack. */
__attribute__((noinline)) static void *malloc_anew(struct memory *memory, size_t class, size_t size)
{
        size_t capacity = capacity_of(class, size);
        struct memory_block *block;

        if (capacity > UINT32_MAX)
                return NULL;
        if (class == CLASS_MALLOC)
                block = malloc(HEADER_BYTES + capacity);
        else if (class == CLASS_FRAME)
                block = pages_cut_frame(&memory->pages);
        else
                block = pages_cut(&memory->pages, HEADER_BYTES + capacity);
        if (!block)
                return NULL;
        block->class = (uint32_t)class;
        block->capacity = (uint32_t)capacity;
        memory->live++;
        return block->bytes;
}

static void *memory_malloc(size_t size, void *user)
{
        struct memory *memory = user;
        size_t class = class_of(size);
        struct memory_block *block = memory->free[class];

        if (!block)
                return malloc_anew(memory, class, size);
        unpoison(block->bytes, block->capacity);
        memory->free[class] = block->next;
        memory->live++;
        return block->bytes;
}

static void memory_free(void *pointer, void *user)
{
        struct memory *memory = user;
        struct memory_block *block;

        if (!pointer)
                return;
        block = block_of(pointer);
        memory->live--;
        if (block->class == CLASS_MALLOC) {
                free(block);
                return;
        }
        block->next = memory->free[block->class];
        memory->free[block->class] = block;
        poison(block->bytes, block->capacity);
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
        pages_init(&memory->pages);
}

void memory_deinit(struct memory *memory)
{
        assert(memory->live == 0);
        pages_deinit(&memory->pages);
}
