/* SPDX-License-Identifier: MIT */
#include "text_copy.h"

#include <string.h>

char *text_copy(upb_StringView text, upb_Arena *arena)
{
        char *copy = arena ? upb_Arena_Malloc(arena, text.size + 1) : NULL;

        if (!copy)
                return NULL;
        memcpy(copy, text.data, text.size);
        copy[text.size] = '\0';
        return copy;
}
