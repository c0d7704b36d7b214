/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A list of metadata, in the order of the wire; name, value and node live in the call's arena.
 * Binary values are kept decoded in received lists, encoded in lists to be sent.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "transport/stream.h" /* FIELD_OVERHEAD_BYTES */
#include "upb/base/string_view.h"
#include "upb/mem/arena.h"

struct field {
        struct field *next;
        const char *name;
        size_t name_size;
        const char *value;
        size_t value_size;
};

struct fields {
        struct field *first;
        struct field *last;
        size_t count;
        size_t bytes; /* names and values, and FIELD_OVERHEAD_BYTES each */
};

/*
 * Copies a field of the peer. Values of "-bin" names are split and decoded into one field each. Values
 * that are not base64 are dropped, and names and values that gRPC does not allow. 0; -ENOMEM; -E2BIG:
 * more than @count_max in all.
 */
int fields_receive(struct fields *fields, upb_Arena *arena, const char *name, size_t name_size,
        const char *value, size_t value_size, size_t count_max);

/* The same of a "-bin" name, which is copied even if it is one of gRPC's own. */
int fields_receive_binary(struct fields *fields, upb_Arena *arena, const char *name,
        size_t name_size, const char *value, size_t value_size, size_t count_max);

/*
 * Copies a field of the application, to be sent. Values of "-bin" names are encoded.
 * 0; -EINVAL: a name or value that gRPC does not allow, or a reserved name; -E2BIG: more than
 * @bytes_max in all, 32 for each field included; -ENOMEM.
 */
int fields_send(struct fields *fields, upb_Arena *arena, const char *name, const char *value,
        size_t value_size, size_t bytes_max);

/* The last field stands for all of its name: those before it are removed. There is one. */
void fields_replace_by_last(struct fields *fields);

/* The first value of @name. False: there is none. */
bool fields_find(const struct fields *fields, const char *name, upb_StringView *ret_value);

/* What content-length says, which the transport has checked; 0: nothing, UINT64_MAX: more than there is. */
uint64_t fields_content_length(const struct fields *fields);

/* One field after the other. *@cursor: 0 at first; then it is the field shown last. False: there are no more. */
bool fields_next(const struct fields *fields, size_t *cursor, upb_StringView *ret_name,
        upb_StringView *ret_value);

/* Appends a field as it is: nothing is checked, encoded or copied. 0, -ENOMEM. */
int fields_append(struct fields *fields, upb_Arena *arena, const char *name, size_t name_size,
        const char *value, size_t value_size);

/* The same, and name and value are copied. */
int fields_append_copy(struct fields *fields, upb_Arena *arena, const char *name, size_t name_size,
        const char *value, size_t value_size);
