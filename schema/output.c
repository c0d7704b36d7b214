/* SPDX-License-Identifier: MIT */
#include "schema/output.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include <quoit/budget.h>

#include "upb/wire/byte_size.h"

/* Texts of up to this size are printed once, longer ones twice: the length is known only after printing. */
#define SHORT_BYTES_MAX 4096

/*
 * Two bytes of a message deep in others become two lines that are indented: a hundred times as much. Who asks for no
 * bound gets that of parsing. What a large message is encoded is only asked for once it matters.
 */
static void *allocate(
        const upb_Message *message, const upb_MiniTable *table, upb_Arena *arena, size_t size)
{
        if (!upb_Arena_GetBudget(arena) && size > quoit_parse_bytes_max(0) &&
                size > quoit_parse_bytes_max(upb_ByteSize(message, table)))
                return NULL;
        return upb_Arena_Malloc(arena, size);
}

int output_print(output_fn *print, void *context, const upb_Message *message,
        const upb_MiniTable *table, upb_Arena *arena, upb_StringView *ret_text)
{
        char first[SHORT_BYTES_MAX];
        size_t size = print(context, first, sizeof(first));
        char *text;

        if (size == SIZE_MAX)
                return -EINVAL;
        text = allocate(message, table, arena, size + 1);
        if (!text)
                return -ENOMEM;
        if (size < sizeof(first))
                memcpy(text, first, size + 1);
        else if (print(context, text, size + 1) != size)
                return -EINVAL;
        *ret_text = upb_StringView_FromDataAndSize(text, size);
        return 0;
}
