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
 * The cost of a hostile document is bounded. It can be nested QUOIT_JSON_DEPTH_MAX deep. The message takes no more from its
 * arena than the arena's budget (<quoit/budget.h>), or without a budget, quoit_parse_bytes_max() of the document's size. The
 * time is proportional to the size, times the depth if messages are Anys whose "@type" is last. The caller limits a
 * document's size.
 */

#include <stddef.h>

#include <quoit/export.h>
#include <quoit/schema.h>

QUOIT_BEGIN_DECLS

/* How deep objects and arrays can be nested in a document that is parsed. */
#define QUOIT_JSON_DEPTH_MAX 64

/* For quoit_json_print(); can be combined. */
typedef enum quoit_json_print_options {
        QUOIT_JSON_DEFAULTS =
                1, /* fields without presence are printed also if they have their default */
        QUOIT_JSON_PROTO_NAMES = 2,  /* a_field, not aField */
        QUOIT_JSON_ENUM_NUMBERS = 4, /* 1, not "ONE" */
} quoit_json_print_options;

/* For quoit_json_parse(). */
typedef enum quoit_json_parse_options {
        QUOIT_JSON_IGNORE_UNKNOWN =
                1, /* unknown fields and enum values are left out; they are not errors */
} quoit_json_parse_options;

/*
 * @message of the type @table as JSON, in one line. Members of a map come in no particular order. Unknown fields, and
 * extensions that are not in @schema, are left out. *@ret_text is in @arena, with a zero behind it. Its length is known before it is
 * printed, and limited by @arena's budget (<quoit/budget.h>), or without a budget by quoit_parse_bytes_max() of what @message takes
 * on the wire. Memory for messages in an Any is freed at once; it is limited by @arena's budget, or without a budget by
 * quoit_parse_bytes_max(0).
 *
 * 0; -ENOENT: @table is not of a type in @schema; -EINVAL: JSON cannot say it: an Any of a type that is not in @schema, or with bytes that
 * are not such a message, a Timestamp or Duration out of range (<quoit/timestamp.h>), a string that is not UTF-8,
 * more than 100 messages in each other; -ENOMEM: also, over a bound.
 */
QUOIT_API int quoit_json_print(const quoit_schema *schema, const upb_Message *message,
        const upb_MiniTable *table, unsigned options, upb_Arena *arena, upb_StringView *ret_text,
        quoit_problem *ret_problem);

/*
 * A new message of the type @table in @arena, from the JSON @text, which is not kept. Required fields (proto2) are not checked.
 * A field that occurs twice is an error, also where it has its JSON name once and its own name once. Of a map's key the last one counts.
 *
 * 0; -ENOENT: @table is not of a type in @schema; -EINVAL: it is not JSON, or not such a message; -ENOMEM, also over the budget.
 * Memory that was taken before an error stays in @arena.
 */
QUOIT_API int quoit_json_parse(const quoit_schema *schema, upb_StringView text,
        const upb_MiniTable *table, unsigned options, upb_Arena *arena, upb_Message **ret_message,
        quoit_problem *ret_problem);

QUOIT_END_DECLS
