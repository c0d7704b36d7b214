/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Messages in protobuf's text format, for logs and for people: protobuf.dev/reference/protobuf/textformat-spec. <quoit/schema.h> says
 * what to link.
 */

#include <quoit/export.h>
#include <quoit/schema.h>

QUOIT_BEGIN_DECLS

/* For quoit_text_print(). */
typedef enum quoit_text_print_options {
        QUOIT_TEXT_ONE_LINE = 1, /* without line breaks */
} quoit_text_print_options;

/*
 * @message of the type @table. A group is printed under the name of its type, as it is written in the .proto file. The order
 * of a map's entries depends only on their keys. Unknown fields, and extensions that are not in @schema, are left out; an Any
 * shows its type and its bytes. Bytes of a string that are not UTF-8 are escaped. *@ret_text is in @arena, with a zero behind
 * it.
 *
 * A small message may be a large text: each line of a nested one is indented, some hundred bytes for two of the wire. So how long it is is
 * known before it is printed, and bounded by @arena's budget (<quoit/budget.h>), or if that has none, by quoit_parse_bytes_max() of what
 * @message takes on the wire.
 *
 * 0; -ENOENT: @table is not of a type in @schema; -ENOMEM: also, over that bound.
 */
QUOIT_API int quoit_text_print(const quoit_schema *schema, const upb_Message *message,
        const upb_MiniTable *table, unsigned options, upb_Arena *arena, upb_StringView *ret_text,
        quoit_problem *ret_problem);

QUOIT_END_DECLS
