/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>

#include "upb/base/string_view.h"

/* Bytes that grow. All zeros is an empty one. */
struct bytes {
        char *data; /* @size bytes; NULL if it never had any */
        size_t size;
        size_t room;
};

void bytes_deinit(struct bytes *bytes);

/* 0, or -ENOMEM. */
int bytes_add(struct bytes *bytes, const void *more, size_t size);
int __attribute__((format(printf, 2, 3))) bytes_print(struct bytes *bytes, const char *format, ...);

/* What it has, until it is changed. */
static inline upb_StringView bytes_view(const struct bytes *bytes)
{
        return upb_StringView_FromDataAndSize(bytes->data ? bytes->data : "", bytes->size);
}
