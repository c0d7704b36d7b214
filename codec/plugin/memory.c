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

static size_t taken; /* of the last arena */

upb_Arena *memory_arena_new(void)
{
        taken = 0;
        return memory_check(upb_Arena_New());
}

void *memory_alloc(upb_Arena *arena, size_t size)
{
        if (size > MEMORY_BYTES_MAX - taken) {
                fputs("protoc-gen-quoit: too much to generate in one run: give protoc fewer files "
                      "at a time\n",
                        stderr);
                exit(EXIT_FAILURE);
        }
        taken += size;
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
