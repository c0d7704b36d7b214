/* SPDX-License-Identifier: MIT */
#include "front/media_type.h"

#include <string.h>

upb_StringView media_type_cut(upb_StringView field)
{
        const char *end = field.size > 0 ? memchr(field.data, ';', field.size) : NULL;
        size_t size = end ? (size_t)(end - field.data) : field.size;

        while (size > 0 && (field.data[size - 1] == ' ' || field.data[size - 1] == '\t'))
                size--;
        return upb_StringView_FromDataAndSize(field.data, size);
}
