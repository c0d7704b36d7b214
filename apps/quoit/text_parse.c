/* SPDX-License-Identifier: MIT */
#include "text_parse.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <utf8_range.h>

#include "fields.h"
#include "text_values.h"
#include "upb/message/array.h"
#include "upb/message/map.h"
#include "upb/reflection/message.h"
#include "upb/wire/encode.h"

#define DEPTH_MAX 64 /* of messages in each other, as of JSON */
#define NAME_BYTES 512

struct parser {
        struct text text;
        struct source *source;
        upb_Arena *arena;
        unsigned depth;
};

static int parse_fields(
        struct parser *parser, const upb_MessageDef *type, upb_Message *message, char end);

static int out_of_memory(struct parser *parser)
{
        text_fail(&parser->text, "out of memory");
        return -ENOMEM;
}

/* ---- values ---- */

/* "{...}" or "<...>". */
static int parse_message(struct parser *parser, const upb_MessageDef *type, upb_Message *message)
{
        bool is_angle = text_accept(&parser->text, '<');
        int r;

        if (!is_angle && !text_accept(&parser->text, '{'))
                return text_fail(&parser->text, "a message is expected: { ... }");
        if (parser->depth == DEPTH_MAX)
                return text_fail(&parser->text, "messages are nested too deeply");
        parser->depth++;
        r = parse_fields(parser, type, message, is_angle ? '>' : '}');
        parser->depth--;
        return r;
}

static int parse_new_message(
        struct parser *parser, const upb_MessageDef *type, upb_MessageValue *ret_value)
{
        upb_Message *message = upb_Message_New(upb_MessageDef_MiniTable(type), parser->arena);

        if (!message)
                return out_of_memory(parser);
        ret_value->msg_val = message;
        return parse_message(parser, type, message);
}

static int parse_value(
        struct parser *parser, const upb_FieldDef *field, upb_MessageValue *ret_value)
{
        if (upb_FieldDef_IsSubMessage(field))
                return parse_new_message(parser, upb_FieldDef_MessageSubDef(field), ret_value);
        return text_value(&parser->text, field, parser->arena, ret_value);
}

/* ---- maps ---- */

static upb_MessageValue default_of(struct parser *parser, const upb_FieldDef *field)
{
        upb_MessageValue value = upb_FieldDef_Default(field);

        if (upb_FieldDef_IsSubMessage(field))
                value.msg_val = upb_Message_New(
                        upb_MessageDef_MiniTable(upb_FieldDef_MessageSubDef(field)), parser->arena);
        return value;
}

/* "{ key: K value: V }" */
static int parse_entry(struct parser *parser, const upb_FieldDef *field, upb_Map *map)
{
        const upb_MessageDef *entry = upb_FieldDef_MessageSubDef(field);
        const upb_FieldDef *fields[] = { upb_MessageDef_FindFieldByNumber(entry, 1),
                upb_MessageDef_FindFieldByNumber(entry, 2) };
        upb_MessageValue values[] = { default_of(parser, fields[0]),
                default_of(parser, fields[1]) };
        bool is_angle = text_accept(&parser->text, '<');
        char end = is_angle ? '>' : '}';
        int r = 0;

        if (!is_angle && !text_accept(&parser->text, '{'))
                return text_fail(&parser->text, "an entry is expected: { key: ... value: ... }");
        while (r == 0 && !text_accept(&parser->text, end)) {
                upb_StringView name = text_name(&parser->text);
                int at = upb_StringView_IsEqual(name, upb_StringView_FromString("value"));

                if (!at && !upb_StringView_IsEqual(name, upb_StringView_FromString("key")))
                        return text_fail(&parser->text, "key or value is expected");
                text_accept(&parser->text, ':');
                r = parse_value(parser, fields[at], &values[at]);
                text_accept_separator(&parser->text);
        }
        if (r == 0 && !upb_Map_Set(map, values[0], values[1], parser->arena))
                r = out_of_memory(parser);
        return r;
}

/* ---- fields ---- */

/* One value of the field, behind its name and colon. */
static int parse_one(struct parser *parser, upb_Message *message, const upb_FieldDef *field)
{
        upb_MutableMessageValue place = { 0 };
        upb_MessageValue value;
        int r;

        if (upb_FieldDef_IsRepeated(field) || upb_FieldDef_IsSubMessage(field)) {
                place = upb_Message_Mutable(message, field, parser->arena);
                if (!place.msg)
                        return out_of_memory(parser);
                if (upb_FieldDef_IsMap(field))
                        return parse_entry(parser, field, place.map);
                if (!upb_FieldDef_IsRepeated(field))
                        return parse_message(parser, upb_FieldDef_MessageSubDef(field), place.msg);
        }
        r = parse_value(parser, field, &value);
        if (r < 0)
                return r;
        if (upb_FieldDef_IsRepeated(field)
                        ? upb_Array_Append(place.array, value, parser->arena)
                        : upb_Message_SetFieldByDef(message, field, value, parser->arena))
                return 0;
        return out_of_memory(parser);
}

static int parse_list(struct parser *parser, upb_Message *message, const upb_FieldDef *field)
{
        int r = 0;

        if (text_accept(&parser->text, ']'))
                return 0;
        do {
                r = parse_one(parser, message, field);
        } while (r == 0 && text_accept(&parser->text, ','));
        if (r == 0 && !text_accept(&parser->text, ']'))
                r = text_fail(&parser->text, "the list is not closed: ] is expected");
        return r;
}

static int parse_field(struct parser *parser, upb_Message *message, const upb_FieldDef *field)
{
        bool has_colon = text_accept(&parser->text, ':');

        if (!has_colon && !upb_FieldDef_IsSubMessage(field))
                return text_fail(
                        &parser->text, "a colon is expected behind %s", upb_FieldDef_Name(field));
        if (upb_FieldDef_IsRepeated(field) && text_accept(&parser->text, '['))
                return parse_list(parser, message, field);
        return parse_one(parser, message, field);
}

/* "[host/pkg.Message] { ... }": what is in an Any. */
static int parse_any(
        struct parser *parser, const upb_MessageDef *type, upb_Message *message, const char *url)
{
        const upb_MessageDef *inside = source_message(parser->source, strrchr(url, '/') + 1);
        upb_MessageValue value, bytes;
        char *copy, *encoded;
        int r;

        if (upb_MessageDef_WellKnownType(type) != kUpb_WellKnown_Any)
                return text_fail(&parser->text, "[%s] is for an Any", url);
        if (!inside)
                return text_fail(&parser->text, "the type of [%s] is not known", url);
        text_accept(&parser->text, ':');
        r = parse_new_message(parser, inside, &value);
        if (r < 0)
                return r;
        copy = upb_Arena_Malloc(parser->arena, strlen(url) + 1);
        if (!copy || upb_Encode(value.msg_val, upb_MessageDef_MiniTable(inside), 0, parser->arena,
                             &encoded, &bytes.str_val.size) != kUpb_EncodeStatus_Ok)
                return out_of_memory(parser);
        bytes.str_val.data = encoded;
        value.str_val = upb_StringView_FromString(strcpy(copy, url));
        if (!upb_Message_SetFieldByDef(
                    message, upb_MessageDef_FindFieldByNumber(type, 1), value, parser->arena) ||
                !upb_Message_SetFieldByDef(
                        message, upb_MessageDef_FindFieldByNumber(type, 2), bytes, parser->arena))
                return out_of_memory(parser);
        return 0;
}

/* "[pkg.extension]: ...", or an Any's. */
static int parse_bracket(struct parser *parser, const upb_MessageDef *type, upb_Message *message)
{
        const upb_FieldDef *field;
        char name[NAME_BYTES];

        if (!text_bracket(&parser->text, name, sizeof(name)))
                return text_fail(&parser->text, "[...] is not closed");
        if (strchr(name, '/'))
                return parse_any(parser, type, message, name);
        source_load_symbol(parser->source, name);
        field = upb_DefPool_FindExtensionByName(source_pool(parser->source), name);
        if (!field || upb_FieldDef_ContainingType(field) != type)
                return text_fail(&parser->text, "%s has no extension %s",
                        upb_MessageDef_FullName(type), name);
        return parse_field(parser, message, field);
}

/* A group goes by the name of its type. */
static const upb_FieldDef *find_field(const upb_MessageDef *type, upb_StringView name)
{
        const upb_FieldDef *field =
                upb_MessageDef_FindFieldByNameWithSize(type, name.data, name.size);

        for (int i = 0; !field && i < upb_MessageDef_FieldCount(type); i++) {
                const upb_FieldDef *at = upb_MessageDef_Field(type, i);

                if (upb_FieldDef_Type(at) == kUpb_FieldType_Group &&
                        upb_StringView_IsEqual(name, upb_StringView_FromString(upb_MessageDef_Name(
                                                             upb_FieldDef_MessageSubDef(at)))))
                        field = at;
        }
        return field;
}

static int say_no_field(struct parser *parser, const upb_MessageDef *type, upb_StringView name)
{
        char written[NEAREST_NAME_BYTES], hint[NEAREST_HINT_BYTES];
        struct nearest nearest;

        snprintf(written, sizeof(written), "%.*s", (int)name.size, name.data);
        nearest_init(&nearest, written);
        for (int i = 0; i < upb_MessageDef_FieldCount(type); i++)
                nearest_try(&nearest, upb_FieldDef_Name(upb_MessageDef_Field(type, i)));
        return text_fail(&parser->text, "no field %s in %s%s", written,
                upb_MessageDef_FullName(type), nearest_hint(&nearest, hint));
}

/* Up to @end; 0: to the end of the text. */
static int parse_fields(
        struct parser *parser, const upb_MessageDef *type, upb_Message *message, char end)
{
        int r = 0;

        while (r == 0 && !(end ? text_accept(&parser->text, end) : text_is_over(&parser->text))) {
                upb_StringView name;
                const upb_FieldDef *field;

                if (text_accept(&parser->text, '[')) {
                        r = parse_bracket(parser, type, message);
                } else {
                        name = text_name(&parser->text);
                        if (name.size == 0)
                                return text_fail(
                                        &parser->text, text_is_over(&parser->text)
                                                               ? "the message is not closed"
                                                               : "the name of a field is expected");
                        field = find_field(type, name);
                        r = field ? parse_field(parser, message, field)
                                  : say_no_field(parser, type, name);
                }
                text_accept_separator(&parser->text);
        }
        return r;
}

int text_parse(struct source *source, const upb_MessageDef *type, upb_StringView text,
        upb_Arena *arena, upb_Message **ret_message, quoit_problem *ret_problem)
{
        struct parser parser = { .source = source, .arena = arena };
        upb_Message *message = upb_Message_New(upb_MessageDef_MiniTable(type), arena);
        int r;

        text_init(&parser.text, text, ret_problem);
        if (!message)
                return out_of_memory(&parser);
        if (!utf8_range_IsValid(text.data, text.size))
                return text_fail(&parser.text, "it is not UTF-8");
        r = parse_fields(&parser, type, message, '\0');
        if (r == 0)
                *ret_message = message;
        return r;
}
