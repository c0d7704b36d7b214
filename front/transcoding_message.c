/* SPDX-License-Identifier: MIT */
#include "front/transcoding_message.h"

#include <errno.h>
#include <string.h>

#include "front/binding.h"
#include "front/http_body.h"
#include "front/query.h"
#include "front/url.h"
#include "schema/problem.h"
#include "schema/schema.h"
#include "upb/reflection/message.h"

/* ---- the body ---- */

/*
 * Whether @text, if it is JSON at all, is not more than one value: `1,"other":2` behind a name would be two. Texts that are not
 * JSON are left to the parser.
 */
static bool is_one_value(upb_StringView text)
{
        size_t depth = 0;
        bool is_string = false;

        for (size_t i = 0; i < text.size; i++) {
                char c = text.data[i];

                if (is_string && c == '\\')
                        i++;
                else if (c == '"')
                        is_string = !is_string;
                else if (is_string)
                        continue;
                else if (c == '{' || c == '[')
                        depth++;
                else if ((c == '}' || c == ']') && depth-- == 0)
                        return false;
                else if (c == ',' && depth == 0)
                        return false;
        }
        return !is_string;
}

/* The value of a field as an object with that field alone: whatever its type is, the parser knows it. */
static int wrap(const upb_FieldDef *field, upb_StringView body, upb_Arena *arena,
        upb_StringView *ret_text, quoit_problem *ret_problem)
{
        size_t name_size = strlen(upb_FieldDef_Name(field)), size = name_size + body.size + 5;
        char *text;

        if (!is_one_value(body))
                return problem_set(ret_problem, -EINVAL, "the body is not one value of JSON");
        text = upb_Arena_Malloc(arena, size);
        if (!text)
                return problem_set(
                        ret_problem, -ENOMEM, "out of memory, or over the budget for it");
        memcpy(text, "{\"", 2);
        memcpy(text + 2, upb_FieldDef_Name(field), name_size);
        memcpy(text + 2 + name_size, "\":", 2);
        memcpy(text + 4 + name_size, body.data, body.size);
        text[size - 1] = '}';
        *ret_text = upb_StringView_FromDataAndSize(text, size);
        return 0;
}

/* The body as it is, in a google.api.HttpBody. */
static int take_raw(const struct transcoding_rule *rule, const struct transcoding_request *request,
        upb_Arena *arena, upb_Message **ret_message, quoit_problem *ret_problem)
{
        const struct http_body raw = { .content_type = request->content_type,
                .data = request->body };
        upb_Message *message = upb_Message_New(upb_MessageDef_MiniTable(rule->request), arena);
        upb_Message *body = message;

        if (body && rule->body)
                body = upb_Message_Mutable(message, rule->body, arena).msg;
        if (!body || http_body_set(body, rule->raw_request, &raw, arena) < 0)
                return problem_set(
                        ret_problem, -ENOMEM, "out of memory, or over the budget for it");
        *ret_message = message;
        return 0;
}

static int parse_body(const struct transcoding_rule *rule,
        const struct transcoding_request *request, const quoit_schema *schema, unsigned options,
        upb_Arena *arena, upb_Message **ret_message, quoit_problem *ret_problem)
{
        upb_StringView body = request->body;
        const upb_MiniTable *table = upb_MessageDef_MiniTable(rule->request);
        int r = 0;

        if (rule->raw_request)
                return take_raw(rule, request, arena, ret_message, ret_problem);
        if (body.size > 0 && !rule->has_body)
                return problem_set(ret_problem, -EINVAL, "this request has no body");
        if (body.size == 0) {
                *ret_message = upb_Message_New(table, arena);
                return *ret_message ? 0
                                    : problem_set(ret_problem, -ENOMEM,
                                              "out of memory, or over the budget for it");
        }
        if (rule->body)
                r = wrap(rule->body, body, arena, &body, ret_problem);
        if (r == 0)
                r = quoit_json_parse(schema, body, table, options, arena, ret_message, ret_problem);
        return r;
}

/* ---- the URL ---- */

static int decode(upb_StringView text, enum url_part part, upb_Arena *arena,
        upb_StringView *ret_text, quoit_problem *ret_problem)
{
        char *copy = upb_Arena_Malloc(arena, text.size);
        ssize_t size;

        if (!copy)
                return problem_set(
                        ret_problem, -ENOMEM, "out of memory, or over the budget for it");
        size = url_decode(copy, text.data, text.size, part);
        if (size < 0)
                return problem_set(ret_problem, -EINVAL,
                        "a '%%' in the URL has no two hexadecimal digits after it");
        *ret_text = upb_StringView_FromDataAndSize(copy, (size_t)size);
        return 0;
}

static int bind_path(const struct transcoding_rule *rule, upb_StringView path, upb_Message *message,
        const quoit_schema *schema, upb_Arena *arena, quoit_problem *ret_problem)
{
        upb_StringView segments[PATH_TEMPLATE_SEGMENTS_MAX], value;
        int r = 0;

        if (rule->path.verb.size > 0)
                path.size -= rule->path.verb.size + 1;
        if (!path_template_cut(&rule->path, path, segments))
                return problem_set(ret_problem, -EINVAL, "the path is another one");
        for (unsigned i = 0; r == 0 && i < rule->path.variable_count; i++) {
                const struct path_variable *variable = rule->path.variables + i;

                r = decode(path_template_value(variable, segments),
                        variable->is_multiple ? URL_SEGMENTS : URL_SEGMENT, arena, &value,
                        ret_problem);
                if (r == 0)
                        r = binding_set(message, rule->variables + i, value, schema_pool(schema),
                                arena, ret_problem);
        }
        return r;
}

static int bind_pair(const struct transcoding_rule *rule, const struct query_pair *pair,
        upb_Message *message, const quoit_schema *schema, unsigned options, upb_Arena *arena,
        quoit_problem *ret_problem)
{
        upb_StringView name, value;
        struct field_path path;
        int r = decode(pair->name, URL_QUERY, arena, &name, ret_problem);

        if (r == 0)
                r = decode(pair->value, URL_QUERY, arena, &value, ret_problem);
        if (r < 0)
                return r;
        r = field_path_find(&path, rule->request, name, ret_problem);
        if (r < 0)
                return options & QUOIT_JSON_IGNORE_UNKNOWN ? 0 : r;
        if (transcoding_rule_covers(rule, &path))
                return problem_set(ret_problem, -EINVAL,
                        "the query has \"%.*s\", which is set by the path or the body",
                        (int)name.size, name.data);
        return binding_set(message, &path, value, schema_pool(schema), arena, ret_problem);
}

int transcoding_request_parse(const struct transcoding_rule *rule,
        const struct transcoding_request *request, const quoit_schema *schema, unsigned options,
        upb_Arena *arena, upb_Message **ret_message, quoit_problem *ret_problem)
{
        upb_StringView query = request->query;
        struct query_pair pair;
        upb_Message *message;
        int r = parse_body(rule, request, schema, options, arena, &message, ret_problem);

        while (r == 0 && query_next(&query, &pair))
                r = bind_pair(rule, &pair, message, schema, options, arena, ret_problem);
        if (r == 0)
                r = bind_path(rule, request->path, message, schema, arena, ret_problem);
        if (r == 0)
                *ret_message = message;
        return r;
}

/* ---- the answer ---- */

/* What a field without a value is as JSON: it is not printed in a message. */
static upb_StringView empty_value(const upb_FieldDef *field, upb_Arena *arena)
{
        const char *text;
        char *name;

        if (upb_FieldDef_IsMap(field))
                return upb_StringView_FromString("{}");
        if (upb_FieldDef_IsRepeated(field))
                return upb_StringView_FromString("[]");
        switch (upb_FieldDef_CType(field)) {
        case kUpb_CType_Message:
                return upb_StringView_FromString("null");
        case kUpb_CType_Bool:
                return upb_StringView_FromString("false");
        case kUpb_CType_String:
        case kUpb_CType_Bytes:
                return upb_StringView_FromString("\"\"");
        case kUpb_CType_Int64:
        case kUpb_CType_UInt64:
                return upb_StringView_FromString("\"0\"");
        case kUpb_CType_Enum:
                text = upb_EnumValueDef_Name(upb_EnumDef_Value(upb_FieldDef_EnumSubDef(field), 0));
                name = upb_Arena_Malloc(arena, strlen(text) + 2);
                if (!name)
                        return upb_StringView_FromDataAndSize(NULL, 0);
                name[0] = name[strlen(text) + 1] = '"';
                memcpy(name + 1, text, strlen(text));
                return upb_StringView_FromDataAndSize(name, strlen(text) + 2);
        default:
                return upb_StringView_FromString("0");
        }
}

/* A message that has only this field of @message, which may still refer to what is in it. NULL: no memory. */
static upb_Message *take_field(const struct transcoding_rule *rule, const upb_Message *message,
        const upb_FieldDef *field, upb_Arena *arena)
{
        upb_Message *alone = upb_Message_New(upb_MessageDef_MiniTable(rule->reply), arena);

        if (!alone || !upb_Message_SetFieldByDef(
                              alone, field, upb_Message_GetFieldByDef(message, field), arena))
                return NULL;
        return alone;
}

static bool has_value(const upb_Message *message, const upb_FieldDef *field)
{
        upb_MessageValue value;

        if (upb_FieldDef_HasPresence(field))
                return upb_Message_HasFieldByDef(message, field);
        value = upb_Message_GetFieldByDef(message, field);
        return !upb_FieldDef_IsRepeated(field) || value.array_val;
}

/* `{"name":value}` without what is around the value; `{}`: there is none. */
static upb_StringView unwrap(upb_StringView object, const upb_FieldDef *field, upb_Arena *arena)
{
        size_t front = strlen("{\"\":") + strlen(upb_FieldDef_JsonName(field));

        if (object.size < front)
                return empty_value(field, arena);
        return upb_StringView_FromDataAndSize(object.data + front, object.size - front - 1);
}

/* The field, as the only one of a message that is printed. */
static int print_alone(const struct transcoding_rule *rule, const upb_Message *message,
        const quoit_schema *schema, unsigned options, upb_Arena *arena, upb_StringView *ret_text,
        quoit_problem *ret_problem)
{
        const upb_FieldDef *field = rule->response_body;
        upb_StringView text;
        int r;

        message = take_field(rule, message, field, arena);
        if (!message)
                return problem_set(ret_problem, -ENOMEM, "out of memory");
        options &= ~(unsigned)(QUOIT_JSON_DEFAULTS | QUOIT_JSON_PROTO_NAMES);
        r = quoit_json_print(schema, message, upb_MessageDef_MiniTable(rule->reply), options, arena,
                &text, ret_problem);
        if (r < 0)
                return r;
        *ret_text = unwrap(text, field, arena);
        return ret_text->data ? 0 : problem_set(ret_problem, -ENOMEM, "out of memory");
}

int transcoding_answer_print(const struct transcoding_rule *rule, const upb_Message *message,
        const quoit_schema *schema, unsigned options, upb_Arena *arena, upb_StringView *ret_text,
        quoit_problem *ret_problem)
{
        const upb_FieldDef *field = rule->response_body;
        const upb_MessageDef *type = rule->reply;

        if (field && !has_value(message, field)) {
                *ret_text = empty_value(field, arena);
                return ret_text->data ? 0 : problem_set(ret_problem, -ENOMEM, "out of memory");
        }
        if (field && (!upb_FieldDef_IsSubMessage(field) || upb_FieldDef_IsRepeated(field)))
                return print_alone(rule, message, schema, options, arena, ret_text, ret_problem);
        if (field) {
                message = upb_Message_GetFieldByDef(message, field).msg_val;
                type = upb_FieldDef_MessageSubDef(field);
        }
        return quoit_json_print(schema, message, upb_MessageDef_MiniTable(type), options, arena,
                ret_text, ret_problem);
}

struct http_body transcoding_answer_raw(
        const struct transcoding_rule *rule, const upb_Message *message)
{
        if (rule->response_body)
                message = upb_Message_GetFieldByDef(message, rule->response_body).msg_val;
        return message ? http_body_of(message, rule->raw_reply) : (struct http_body){ 0 };
}
