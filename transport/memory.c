/* SPDX-License-Identifier: MIT */
#include "transport/memory.h"

#include <assert.h>
#include <stdbool.h>
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
#define FRAME_BYTES_MIN                                                                            \
        ((size_t)16385) /* nghttp2's frame buffers are larger; what peers make is not, and is counted */

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

/* ---- pages that are free ---- */

/* With fewer pages a trim is not worth a look, nor where not one block of so many is free. */
#define TRIM_PAGES_MIN ((size_t)64)
#define TRIM_SHARE 16

#define PATIENCE_MAX 15u /* trims */

#define RECUT_SHARE 4 /* one of so many blocks must be free */
#define RECUT_BLOCKS_MIN ((size_t)2000)

/* A free block is poisoned but for its header. */
static struct memory_block *next_of(struct memory_block *block)
{
        struct memory_block *next;

        unpoison(&block->next, sizeof(block->next));
        next = block->next;
        poison(&block->next, sizeof(block->next));
        return next;
}

static void set_next(struct memory_block *block, struct memory_block *next)
{
        unpoison(&block->next, sizeof(block->next));
        block->next = next;
        poison(&block->next, sizeof(block->next));
}

/* What is free is idle from now on: what was freed last goes first. */
static void age(struct memory *memory)
{
        for (size_t class = 0; class < MEMORY_CLASSES; class ++) {
                struct memory_block *last = memory->free[class], *next;

                if (!last)
                        continue;
                while ((next = next_of(last)))
                        last = next;
                set_next(last, memory->idle[class]);
                memory->idle[class] = memory->free[class];
                memory->free[class] = NULL;
        }
}

static size_t count_idle(struct memory *memory)
{
        struct memory_block *block;
        size_t count = 0;

        for (size_t class = 0; class < CLASS_FRAME; class ++) {
                for (block = memory->idle[class]; block; block = next_of(block)) {
                        pages_count_idle(block, HEADER_BYTES + block->capacity);
                        count++;
                }
        }
        return count;
}

/* The idle blocks of a class whose page stays; the others are counted. */
static struct memory_block *sort_out(struct memory_block *block, size_t *gone)
{
        struct memory_block *kept = NULL, *last = NULL, *next;

        for (; block; block = next) {
                next = next_of(block);
                if (pages_is_idle(block)) {
                        ++*gone;
                        continue;
                }
                if (last)
                        set_next(last, block);
                else
                        kept = block;
                last = block;
        }
        if (last)
                set_next(last, NULL);
        return kept;
}

static size_t free_idle_frames(struct memory *memory)
{
        struct memory_block *block = memory->idle[CLASS_FRAME], *next;
        size_t count = 0;

        for (; block; block = next) {
                next = next_of(block);
                pages_free_frame(&memory->pages, block);
                count++;
        }
        memory->idle[CLASS_FRAME] = NULL;
        return count;
}

/* Pages whose blocks are all idle are free. True: that was not in vain. */
static bool free_idle(struct memory *memory)
{
        size_t idle = count_idle(memory);
        size_t gone = 0;
        size_t frames;

        for (size_t class = 0; class < CLASS_FRAME; class ++)
                memory->idle[class] = sort_out(memory->idle[class], &gone);
        pages_free_idle(&memory->pages);
        frames = free_idle_frames(memory);
        memory->cut -= gone + frames;
        return gone + frames >= (idle + frames) / 8;
}

static size_t spare_blocks(const struct memory *memory)
{
        return memory->cut - (memory->live - memory->mallocs);
}

/* Before there is one more: many of them may be free, in other classes. */
static void recut(struct memory *memory)
{
        if (spare_blocks(memory) >= memory->cut / RECUT_SHARE) {
                age(memory);
                free_idle(memory);
        }
        memory->recut_at = memory->cut + memory->cut / 4 + RECUT_BLOCKS_MIN;
}

static bool is_worth_trimming(const struct memory *memory)
{
        size_t spare = spare_blocks(memory);

        return spare > 0 && spare >= memory->cut / TRIM_SHARE &&
               memory->pages.fronts + memory->pages.frames >= TRIM_PAGES_MIN;
}

static void trim_blocks(struct memory *memory)
{
        if (memory->patience > 0 && memory->live > memory->patience_live / 4 * 3) {
                memory->patience--;
                return;
        }
        /* where what is in use lies in between, all is not walked through for nothing each time */
        memory->patience_next = free_idle(memory) ? 0 : memory->patience_next * 2 + 1;
        if (memory->patience_next > PATIENCE_MAX)
                memory->patience_next = PATIENCE_MAX;
        memory->patience = memory->patience_next;
        memory->patience_live = memory->live;
        age(memory);
}

size_t memory_trim(struct memory *memory)
{
        if (is_worth_trimming(memory))
                trim_blocks(memory);
        pages_give_back(&memory->pages);
        return memory->pages.fronts * PAGES_FRONT_BYTES + memory->pages.frames * PAGES_FRAME_BYTES;
}

/* ---- nghttp2's functions ---- */

static struct memory_block *block_cut(struct memory *memory, size_t class, size_t capacity)
{
        struct memory_block *block;

        if (memory->cut >= memory->recut_at)
                recut(memory);
        block = class == CLASS_FRAME ? pages_cut_frame(&memory->pages)
                                     : pages_cut(&memory->pages, HEADER_BYTES + capacity);
        if (block)
                memory->cut++;
        return block;
}

static void note_malloc(struct memory *memory, size_t count, size_t bytes)
{
        memory->mallocs += count;
        memory->malloc_bytes += bytes;
}

static struct memory_block *block_new(struct memory *memory, size_t class, size_t size)
{
        size_t capacity = capacity_of(class, size);
        struct memory_block *block;

        if (capacity > UINT32_MAX)
                return NULL;
        if (class == CLASS_MALLOC) {
                block = malloc(HEADER_BYTES + capacity);
                if (block)
                        note_malloc(memory, 1, capacity);
        } else {
                block = block_cut(memory, class, capacity);
        }
        if (!block)
                return NULL;
        block->class = (uint32_t)class;
        block->capacity = (uint32_t)capacity;
        return block;
}

/* Kept out of memory_malloc(), which then needs no stack. */
__attribute__((noinline)) static void *malloc_anew(struct memory *memory, size_t class, size_t size)
{
        struct memory_block *block = class < MEMORY_CLASSES ? memory->idle[class] : NULL;

        if (block) {
                unpoison(block->bytes, block->capacity);
                memory->idle[class] = block->next;
        } else {
                block = block_new(memory, class, size);
        }
        if (!block)
                return NULL;
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
                note_malloc(memory, -1, -(size_t)block->capacity);
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
