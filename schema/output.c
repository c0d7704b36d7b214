/* SPDX-License-Identifier: MIT */
#include "schema/output.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

/* What is as short as this is printed once; all else twice: how long it is shows when it is printed. */
#define SHORT_BYTES_MAX 4096

int output_print(output_fn *print, void *context, upb_Arena *arena, upb_StringView *ret_text)
{
        char first[SHORT_BYTES_MAX];
        size_t size = print(context, first, sizeof(first));
        char *text;

        if (size == SIZE_MAX)
                return -EINVAL;
        text = upb_Arena_Malloc(arena, size + 1);
        if (!text)
                return -ENOMEM;
        if (size < sizeof(first))
                memcpy(text, first, size + 1);
        else if (print(context, text, size + 1) != size)
                return -EINVAL;
        *ret_text = upb_StringView_FromDataAndSize(text, size);
        return 0;
}
