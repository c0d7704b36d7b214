/* SPDX-License-Identifier: MIT */
#include "call/field_block.h"

#include <errno.h>
#include <stdlib.h>

#include "call/fields.h"

int field_block_init_for(struct field_block *block, size_t count, uint8_t flags)
{
        count += FIELD_BLOCK_OWN_MAX;
        block->count = 0;
        block->flags = flags;
        block->fields = block->few;
        if (count > FIELD_BLOCK_FEW)
                block->fields = malloc(count * sizeof(*block->fields));
        return block->fields ? 0 : -ENOMEM;
}

int field_block_init(struct field_block *block, const struct fields *fields, uint8_t flags)
{
        return field_block_init_for(block, fields ? fields->count : 0, flags);
}

void field_block_deinit(struct field_block *block)
{
        if (block->fields != block->few)
                free(block->fields);
}

void field_block_add_all(struct field_block *block, const struct fields *fields)
{
        for (const struct field *field = fields ? fields->first : NULL; field; field = field->next)
                field_block_add(
                        block, field->name, field->name_size, field->value, field->value_size);
}
