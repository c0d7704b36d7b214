/* SPDX-License-Identifier: MIT */

/* malloc() and related functions, replaced by the linker (--wrap): they count blocks, which a run must free, and sometimes fail. */

#include "memory.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "core/engine/sim.h"
#include "fibers.h"

static size_t live;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void *__real_mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset);
void __real_free(void *block);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t size);
void *__wrap_reallocarray(void *block, size_t count, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
void *__wrap_mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset);
void __wrap_free(void *block);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t size_max);
int __wrap_asprintf(char **ret_text, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* What a product that was built with _FORTIFY_SOURCE calls in its place. */
int __wrap___asprintf_chk(char **ret_text, int flag, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

size_t memory_live(void)
{
        return live;
}

/* Only for the product: allocations of peers and of the simulator do not fail. */
static bool fails(void)
{
        if (!fiber_is_inside() || sim.own_depth > 0 || !sim_fault(SIM_NO_MEMORY))
                return false;
        errno = ENOMEM;
        return true;
}

static void *counted(void *block)
{
        live += block != NULL;
        return block;
}

void *__wrap_malloc(size_t size)
{
        return fails() ? NULL : counted(__real_malloc(size));
}

void *__wrap_calloc(size_t count, size_t size)
{
        return fails() ? NULL : counted(__real_calloc(count, size));
}

void *__wrap_realloc(void *block, size_t size)
{
        if (fails())
                return NULL;
        return block ? __real_realloc(block, size) : counted(__real_malloc(size));
}

void *__wrap_reallocarray(void *block, size_t count, size_t size)
{
        size_t bytes;

        return __builtin_mul_overflow(count, size, &bytes) ? NULL : __wrap_realloc(block, bytes);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
        return fails() ? NULL : counted(__real_aligned_alloc(alignment, size));
}

void *__wrap_mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset)
{
        return fails() ? MAP_FAILED : __real_mmap(address, size, protection, flags, fd, offset);
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

char *__wrap_strndup(const char *text, size_t size_max)
{
        size_t size = strnlen(text, size_max);
        char *copy = __wrap_malloc(size + 1);

        if (copy) {
                memcpy(copy, text, size);
                copy[size] = '\0';
        }
        return copy;
}

static int __attribute__((format(printf, 2, 0))) print(
        char **ret_text, const char *format, va_list arguments)
{
        int size = fails() ? -1 : vasprintf(ret_text, format, arguments);

        live += size >= 0;
        return size;
}

int __wrap_asprintf(char **ret_text, const char *format, ...)
{
        va_list arguments;
        int size;

        va_start(arguments, format);
        size = print(ret_text, format, arguments);
        va_end(arguments);
        return size;
}

int __wrap___asprintf_chk(char **ret_text, int flag, const char *format, ...)
{
        va_list arguments;
        int size;

        (void)flag;
        va_start(arguments, format);
        size = print(ret_text, format, arguments);
        va_end(arguments);
        return size;
}
