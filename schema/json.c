/* SPDX-License-Identifier: MIT */
#include <quoit/json.h>

#include <errno.h>
#include <string.h>
#include <utf8_range.h>

#include "schema/bad_string.h"
#include "schema/output.h"
#include "schema/problem.h"
#include "schema/schema.h"
#include "upb/json/decode.h"
#include "upb/json/encode.h"

_Static_assert((int)QUOIT_JSON_DEFAULTS == upb_JsonEncode_EmitDefaults &&
                       (int)QUOIT_JSON_PROTO_NAMES == upb_JsonEncode_UseProtoNames &&
                       (int)QUOIT_JSON_ENUM_NUMBERS == upb_JsonEncode_FormatEnumsAsIntegers &&
                       (int)QUOIT_JSON_IGNORE_UNKNOWN == upb_JsonDecode_IgnoreUnknown,
        "options are handed on");

/* ---- out ---- */

struct print {
        const upb_DefPool *pool;
        const upb_MessageDef *type;
        const upb_Message *message;
        int options;
        upb_ArenaBudget *budget; /* the caller's, or NULL */
        upb_Status status;
};

/* Messages in an Any are parsed into this arena. Without an Any it takes no memory from the system. */
static size_t print_json(void *context, char *buf, size_t size)
{
        struct print *p = context;
        char room[1024];
        upb_Arena *arena = upb_Arena_Init(room, sizeof(room), &upb_alloc_global);
        quoit_budget budget;

        quoit_budget_init(&budget, quoit_parse_bytes_max(0));
        upb_Arena_SetBudget(arena, p->budget ? p->budget : &budget.upb);
        size = upb_JsonEncode(
                p->message, p->type, p->pool, p->options, arena, buf, size, &p->status);
        upb_Arena_Free(arena);
        return size;
}

static int print_problem(const struct print *p, int r, quoit_problem *problem)
{
        const char *why = upb_Status_ErrorMessage(&p->status);

        if (r == -ENOMEM || !strcmp(why, "Out of memory"))
                return problem_set(problem, -ENOMEM, "out of memory, or over the budget for it");
        return problem_set(problem, r, "%s", why);
}

static int string_problem(const struct print *p, quoit_problem *problem)
{
        const upb_FieldDef *bad = bad_string_find(p->message, p->type, p->pool);

        if (!bad)
                return problem_set(problem, -EINVAL, "a string in an Any is not UTF-8");
        return problem_set(
                problem, -EINVAL, "the string %s is not UTF-8", upb_FieldDef_FullName(bad));
}

int quoit_json_print(const quoit_schema *schema, const upb_Message *message,
        const upb_MiniTable *table, unsigned options, upb_Arena *arena, upb_StringView *ret_text,
        quoit_problem *ret_problem)
{
        struct print print; /* nobody reads all of its status */
        upb_StringView text;
        int r = schema_find(schema, table, &print.type, ret_problem);

        if (r < 0)
                return r;
        print.pool = schema_pool(schema);
        print.message = message;
        print.options = (int)options;
        print.budget = upb_Arena_GetBudget(arena);
        upb_Status_Clear(&print.status);
        r = output_print(print_json, &print, message, table, arena, &text);
        if (r < 0)
                return print_problem(&print, r, ret_problem);
        if (!utf8_range_IsValid(text.data, text.size))
                return string_problem(&print, ret_problem);
        *ret_text = text;
        return 0;
}

/* ---- in ---- */

/* Checked once for the whole document, so that every string in a message is UTF-8. */
static int check_utf8(upb_StringView text, quoit_problem *problem)
{
        size_t valid = utf8_range_ValidPrefix(text.data, text.size), line = 1, line_begin = 0;

        if (valid == text.size)
                return 0;
        for (size_t i = 0; i < valid; i++) {
                if (text.data[i] == '\n') {
                        line++;
                        line_begin = i + 1;
                }
        }
        return problem_set(problem, -EINVAL, "line %zu, column %zu: this is not UTF-8", line,
                valid - line_begin + 1);
}

static int parse(const quoit_schema *schema, upb_StringView text, const upb_MessageDef *type,
        unsigned options, upb_Arena *arena, upb_Message **ret_message, quoit_problem *problem)
{
        upb_Message *message = upb_Message_New(upb_MessageDef_MiniTable(type), arena);
        upb_Status status;

        if (!message)
                return problem_set(problem, -ENOMEM, "out of memory");
        upb_Status_Clear(&status);
        switch (upb_JsonDecodeDetectingNonconformance(text.data, text.size, message, type,
                schema_pool(schema), (int)options, arena, &status)) {
        case kUpb_JsonDecodeResult_Ok:
                *ret_message = message;
                return 0;
        case kUpb_JsonDecodeResult_OutOfMemory:
                return problem_set(problem, -ENOMEM, "%s, or over the budget for it",
                        upb_Status_ErrorMessage(&status));
        default:
                return problem_set(problem, -EINVAL, "%s", upb_Status_ErrorMessage(&status));
        }
}

int quoit_json_parse(const quoit_schema *schema, upb_StringView text, const upb_MiniTable *table,
        unsigned options, upb_Arena *arena, upb_Message **ret_message, quoit_problem *ret_problem)
{
        const upb_MessageDef *type;
        quoit_budget budget;
        int r = schema_find(schema, table, &type, ret_problem);

        if (r == 0 && text.size == 0)
                r = problem_set(
                        ret_problem, -EINVAL, "line 1, column 1: an empty text is not JSON");
        if (r == 0)
                r = check_utf8(text, ret_problem);
        if (r < 0)
                return r;
        if (upb_Arena_GetBudget(arena))
                return parse(schema, text, type, options, arena, ret_message, ret_problem);
        quoit_budget_init(&budget, quoit_parse_bytes_max(text.size));
        upb_Arena_SetBudget(arena, &budget.upb);
        r = parse(schema, text, type, options, arena, ret_message, ret_problem);
        upb_Arena_SetBudget(arena, NULL);
        return r;
}
