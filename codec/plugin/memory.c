/* SPDX-License-Identifier: MIT */
#include "codec/plugin/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *memory_check(void *p)
{
        if (!p) {
                fputs("protoc-gen-quoit: out of memory\n", stderr);
                exit(EXIT_FAILURE);
        }
        return p;
}

upb_Arena *memory_arena_new(void)
{
        return memory_check(upb_Arena_New());
}

void *memory_alloc(upb_Arena *arena, size_t size)
{
        return memory_check(upb_Arena_Malloc(arena, size));
}

char *memory_copy(upb_Arena *arena, const char *data, size_t size)
{
        char *copy = memory_alloc(arena, size + 1);

        if (size)
                memcpy(copy, data, size);
        copy[size] = '\0';
        return copy;
}

char *memory_format(upb_Arena *arena, const char *format, ...)
{
        va_list args;
        char *text;
        int size;

        va_start(args, format);
        size = vsnprintf(NULL, 0, format, args);
        va_end(args);

        text = memory_alloc(arena, (size_t)size + 1);
        va_start(args, format);
        vsnprintf(text, (size_t)size + 1, format, args);
        va_end(args);
        return text;
}
