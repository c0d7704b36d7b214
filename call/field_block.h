/* SPDX-License-Identifier: MIT */
#pragma once

/* A header block that is being made: fields of our own, then the application's. A few are on the stack. */

#include <stdint.h>
#include <string.h>

#include "transport/stream.h"

struct fields;

#define FIELD_BLOCK_OWN_MAX 11
#define FIELD_BLOCK_FEW 32 /* with so many in all, none is allocated for */

struct field_block {
        nghttp2_nv *fields;
        size_t count;
        uint8_t flags;
        nghttp2_nv few[FIELD_BLOCK_FEW];
};

/* Room for FIELD_BLOCK_OWN_MAX and @fields, which can be NULL: then it cannot fail. @flags: each field's, of nghttp2. 0 or -ENOMEM. */
int field_block_init(struct field_block *block, const struct fields *fields, uint8_t flags);
/* The same for @count fields of the application. */
int field_block_init_for(struct field_block *block, size_t count, uint8_t flags);
void field_block_deinit(struct field_block *block);

/* What @name and @value refer to must live as @flags say. */
static inline void field_block_add(struct field_block *block, const char *name, size_t name_size,
        const char *value, size_t value_size)
{
        block->fields[block->count++] = (nghttp2_nv){
                .name = (uint8_t *)name,
                .namelen = name_size,
                .value = (uint8_t *)value,
                .valuelen = value_size,
                .flags = block->flags,
        };
}

static inline void field_block_add_text(
        struct field_block *block, const char *name, const char *value)
{
        field_block_add(block, name, strlen(name), value, strlen(value));
}

/* All of @fields, which can be NULL. */
void field_block_add_all(struct field_block *block, const struct fields *fields);
