/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Messages as ProtoJSON (protobuf.dev/programming-guides/json), and back. <quoit/schema.h> says what to link.
 *
 *      const upb_MiniTable *type = &quoit_api__Hello_msg_init;    (from api.quoit.h, for the message api.Hello)
 *      upb_StringView text;
 *      upb_Message *message;
 *
 *      if (quoit_json_print(schema, UPB_UPCAST(hello), type, 0, arena, &text, &problem) < 0)
 *              ... problem.text
 *      if (quoit_json_parse(schema, text, type, 0, arena, &message, &problem) < 0)
 *              ... "line 3, column 14: No such field: nmae"
 *      hello = (api_Hello *)message;
 *
 * What a hostile document may cost: it is nested QUOIT_JSON_DEPTH_MAX deep at most; what it becomes takes no more from its arena than
 * the arena's budget (<quoit/budget.h>), or where that has none, than quoit_parse_bytes_max() of its size; and the time goes with the
 * size, times the depth where messages are Anys that say their type last. How long a document may be is up to who reads it.
 */

#include <stddef.h>

#include <quoit/export.h>
#include <quoit/schema.h>

QUOIT_BEGIN_DECLS

/* How many objects and arrays may be open when a document is parsed. */
#define QUOIT_JSON_DEPTH_MAX 64

/* For quoit_json_print(): any of them. */
typedef enum quoit_json_print_options {
        QUOIT_JSON_DEFAULTS = 1, /* fields without presence are there with their default, too */
        QUOIT_JSON_PROTO_NAMES = 2,  /* a_field, not aField */
        QUOIT_JSON_ENUM_NUMBERS = 4, /* 1, not "ONE" */
} quoit_json_print_options;

/* For quoit_json_parse(). */
typedef enum quoit_json_parse_options {
        QUOIT_JSON_IGNORE_UNKNOWN =
                1, /* fields and enums' values that are not known are left out, and are no errors */
} quoit_json_parse_options;

/*
 * @message of the type @table as JSON, in one line. Members of a map come in no particular order. Unknown fields, and extensions that are
 * not in @schema, are left out. *@ret_text is in @arena, with a zero behind it. How long it is is known before it is printed, and bounded
 * by @arena's budget (<quoit/budget.h>), or where that has none, by quoit_parse_bytes_max() of what @message takes on the wire. What messages
 * in an Any take meanwhile is given back at once; it is bounded by @arena's budget, or where that has none, by quoit_parse_bytes_max(0).
 *
 * 0; -ENOENT: @table is not of a type in @schema; -EINVAL: JSON cannot say it: an Any of a type that is not in @schema, or with bytes that
 * are not such a message, a Timestamp or Duration out of range (<quoit/timestamp.h>), a string that is not UTF-8,
 * more than 100 messages in each other; -ENOMEM: also, over a bound.
 */
QUOIT_API int quoit_json_print(const quoit_schema *schema, const upb_Message *message,
        const upb_MiniTable *table, unsigned options, upb_Arena *arena, upb_StringView *ret_text,
        quoit_problem *ret_problem);

/*
 * A new message of the type @table in @arena, of the JSON @text, of which nothing is kept. That required fields (proto2) are there
 * is not checked. Fields may come twice: the last one counts, repeated ones and messages grow.
 *
 * 0; -ENOENT: @table is not of a type in @schema; -EINVAL: it is not JSON, or not such a message; -ENOMEM: also, over the budget.
 * What was made before an error stays in @arena.
 */
QUOIT_API int quoit_json_parse(const quoit_schema *schema, upb_StringView text,
        const upb_MiniTable *table, unsigned options, upb_Arena *arena, upb_Message **ret_message,
        quoit_problem *ret_problem);

QUOIT_END_DECLS
