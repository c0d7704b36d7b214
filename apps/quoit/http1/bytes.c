/* SPDX-License-Identifier: MIT */
#include "bytes.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROOM_MIN 512

void bytes_deinit(struct bytes *bytes)
{
        free(bytes->data);
        *bytes = (struct bytes){ 0 };
}

int bytes_add(struct bytes *bytes, const void *more, size_t size)
{
        size_t needed, room = bytes->room ? bytes->room : ROOM_MIN;
        char *data = bytes->data;

        if (size == 0)
                return 0;
        if (__builtin_add_overflow(bytes->size, size, &needed))
                return -ENOMEM;
        if (!data || needed > bytes->room) {
                while (room < needed)
                        if (__builtin_mul_overflow(room, 2, &room))
                                return -ENOMEM;
                data = realloc(bytes->data, room);
                if (!data)
                        return -ENOMEM;
                bytes->data = data;
                bytes->room = room;
        }
        memcpy(data + bytes->size, more, size);
        bytes->size = needed;
        return 0;
}

int bytes_print(struct bytes *bytes, const char *format, ...)
{
        va_list arguments;
        char *text;
        int size, r;

        va_start(arguments, format);
        size = vasprintf(&text, format, arguments);
        va_end(arguments);
        if (size < 0)
                return -ENOMEM;
        r = bytes_add(bytes, text, (size_t)size);
        free(text);
        return r;
}
