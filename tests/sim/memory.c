/* SPDX-License-Identifier: MIT */

/* Blocks of malloc() and its kin, counted: a run gives back as many as it took. The linker puts these in place (--wrap). */

#include "memory.h"

#include <stdlib.h>
#include <string.h>

static size_t live;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void __real_free(void *block);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
void __wrap_free(void *block);
char *__wrap_strdup(const char *text);

size_t memory_live(void)
{
        return live;
}

static void *counted(void *block)
{
        live += block != NULL;
        return block;
}

void *__wrap_malloc(size_t size)
{
        return counted(__real_malloc(size));
}

void *__wrap_calloc(size_t count, size_t size)
{
        return counted(__real_calloc(count, size));
}

void *__wrap_realloc(void *block, size_t size)
{
        return block ? __real_realloc(block, size) : counted(__real_malloc(size));
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
        return counted(__real_aligned_alloc(alignment, size));
}

void __wrap_free(void *block)
{
        live -= block != NULL;
        __real_free(block);
}

char *__wrap_strdup(const char *text)
{
        size_t size = strlen(text) + 1;
        char *copy = __wrap_malloc(size);

        return copy ? memcpy(copy, text, size) : NULL;
}
