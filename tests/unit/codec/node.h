/* SPDX-License-Identifier: MIT */
#pragma once

#include "upb/mini_descriptor/decode.h"
#include "upb/mini_descriptor/link.h"
#include "upb/mini_table/message.h"

/*
 * The type of a tree, without protoc:
 *   message Node { string name = 1; int64 id = 2; bytes blob = 3; repeated Node children = 4; }
 * with explicit presence and UTF-8 checks. As mini-descriptor: version 1 of a message, the modifier
 * that validates UTF-8, then a character for each field's type.
 */
#define NODE_DESCRIPTOR "$M1+0G"

enum { NODE_NAME = 1, NODE_ID = 2, NODE_BLOB = 3, NODE_CHILDREN = 4 };

/* The table lives in @arena. NULL if upb refuses. */
static inline const upb_MiniTable *node_table_new(upb_Arena *arena)
{
        upb_Status status;
        upb_MiniTable *table =
                upb_MiniTable_Build(NODE_DESCRIPTOR, sizeof(NODE_DESCRIPTOR) - 1, arena, &status);

        if (!table)
                return NULL;
        return upb_MiniTable_SetSubMessage(table,
                       (upb_MiniTableField *)upb_MiniTable_FindFieldByNumber(table, NODE_CHILDREN),
                       table)
                       ? table
                       : NULL;
}
