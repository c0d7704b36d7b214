/* SPDX-License-Identifier: MIT */
#include "counts.h"

#include <errno.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static _Thread_local bool is_watched;
static atomic_ullong allocations;
static atomic_ullong copied_bytes;

void counts_watch_this_thread(void)
{
        is_watched = true;
}

struct counts counts_now(void)
{
        return (struct counts){
                .allocations = atomic_load(&allocations),
                .copied_bytes = atomic_load(&copied_bytes),
        };
}

static void count_allocation(void)
{
        if (is_watched)
                atomic_fetch_add(&allocations, 1);
}

static void count_copy(size_t bytes)
{
        if (is_watched)
                atomic_fetch_add(&copied_bytes, bytes);
}

/* ---- memory: glibc's own functions have these second names, and its free() takes what they give ---- */

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

void *malloc(size_t size)
{
        count_allocation();
        return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
        count_allocation();
        return __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size)
{
        size_t old_size = memory ? malloc_usable_size(memory) : 0;
        uintptr_t old_place = (uintptr_t)memory;
        void *moved;

        count_allocation();
        moved = __libc_realloc(memory, size);
        if (moved && (uintptr_t)moved != old_place)
                count_copy(old_size < size ? old_size : size);
        return moved;
}

void *aligned_alloc(size_t alignment, size_t size)
{
        count_allocation();
        return __libc_memalign(alignment, size);
}

int posix_memalign(void **ret_memory, size_t alignment, size_t size)
{
        void *memory;

        count_allocation();
        memory = __libc_memalign(alignment, size);
        if (!memory)
                return ENOMEM;
        *ret_memory = memory;
        return 0;
}

/* ---- copies ---- */

/* The barrier keeps the compiler from seeing a memcpy in this, which would call itself. */
static void copy(unsigned char *to, const unsigned char *from, size_t size)
{
        for (size_t i = 0; i < size; i++) {
                to[i] = from[i];
                __asm__ volatile("" ::: "memory");
        }
}

static void copy_backwards(unsigned char *to, const unsigned char *from, size_t size)
{
        while (size-- > 0) {
                to[size] = from[size];
                __asm__ volatile("" ::: "memory");
        }
}

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
        count_copy(size);
        copy(to, from, size);
        return to;
}

void *memmove(void *to, const void *from, size_t size)
{
        count_copy(size);
        if ((uintptr_t)to <= (uintptr_t)from)
                copy(to, from, size);
        else
                copy_backwards(to, from, size);
        return to;
}

/* What libraries built with _FORTIFY_SOURCE call. */
void *__memcpy_chk(void *restrict to, const void *restrict from, size_t size, size_t room);
void *__memmove_chk(void *to, const void *from, size_t size, size_t room);

void *__memcpy_chk(void *restrict to, const void *restrict from, size_t size, size_t room)
{
        if (size > room)
                abort();
        return memcpy(to, from, size);
}

void *__memmove_chk(void *to, const void *from, size_t size, size_t room)
{
        if (size > room)
                abort();
        return memmove(to, from, size);
}
