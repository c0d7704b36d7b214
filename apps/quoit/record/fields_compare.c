/* SPDX-License-Identifier: MIT */
#include "fields_compare.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base64.h"
#include "../json_write.h"
#include "upb/message/array.h"
#include "upb/message/map.h"
#include "upb/reflection/message.h"

#define PATH_BYTES 1024 /* longer ones are cut */
#define NAME_BYTES 1024
#define DEPTH_MAX 100 /* of messages in each other, as upb has it */

struct comparison {
        const struct strings *ignored;
        fields_differ *fn;
        void *user;
        size_t count;
        char path[PATH_BYTES], name[NAME_BYTES]; /* of where it is; the name is without elements */
        unsigned depth;
};

static void compare_messages(struct comparison *comparison, const upb_MessageDef *type,
        const upb_Message *was, const upb_Message *is);

/* ---- where it is ---- */

/* Adds to @text, of @size bytes. Returns what it was, for cut(). */
static __attribute__((format(printf, 3, 4))) size_t append(
        char *text, size_t size, const char *format, ...)
{
        size_t used = strlen(text);
        va_list arguments;

        va_start(arguments, format);
        vsnprintf(text + used, size - used, format, arguments);
        va_end(arguments);
        return used;
}

static bool is_ignored(const struct comparison *comparison)
{
        for (size_t i = 0; i < comparison->ignored->count; i++)
                if (!strcmp(comparison->ignored->at[i], comparison->name))
                        return true;
        return false;
}

/* ---- values as text ---- */

static void print_float(FILE *to, double value, int digits)
{
        fprintf(to, "%.*g", digits, value);
}

static void print_bytes(FILE *to, upb_StringView bytes)
{
        char *text = malloc(BASE64_ENCODED_BYTES(bytes.size));

        if (text)
                base64_encode(bytes.data, bytes.size, text);
        fprintf(to, "\"%s\"", text ? text : "");
        free(text);
}

static void print_enum(FILE *to, const upb_EnumDef *type, int32_t number)
{
        const upb_EnumValueDef *value = upb_EnumDef_FindValueByNumber(type, number);

        if (value)
                fputs(upb_EnumValueDef_Name(value), to);
        else
                fprintf(to, "%d", number);
}

static void print_value(FILE *to, const upb_FieldDef *field, upb_MessageValue value)
{
        switch (upb_FieldDef_CType(field)) {
        case kUpb_CType_Bool:
                fputs(value.bool_val ? "true" : "false", to);
                break;
        case kUpb_CType_Float:
                print_float(to, value.float_val, 9);
                break;
        case kUpb_CType_Double:
                print_float(to, value.double_val, 17);
                break;
        case kUpb_CType_Int32:
                fprintf(to, "%d", value.int32_val);
                break;
        case kUpb_CType_UInt32:
                fprintf(to, "%u", value.uint32_val);
                break;
        case kUpb_CType_Int64:
                fprintf(to, "%lld", (long long)value.int64_val);
                break;
        case kUpb_CType_UInt64:
                fprintf(to, "%llu", (unsigned long long)value.uint64_val);
                break;
        case kUpb_CType_Enum:
                print_enum(to, upb_FieldDef_EnumSubDef(field), value.int32_val);
                break;
        case kUpb_CType_String:
                json_write_string(to, value.str_val);
                break;
        case kUpb_CType_Bytes:
                print_bytes(to, value.str_val);
                break;
        case kUpb_CType_Message:
                fputs("a message", to);
                break;
        }
}

/* @value: NULL is nothing. The caller frees it. */
static char *text_of(const upb_FieldDef *field, const upb_MessageValue *value)
{
        char *text = NULL;
        size_t size;
        FILE *to = open_memstream(&text, &size);

        if (!to)
                return NULL;
        if (value)
                print_value(to, field, *value);
        else
                fputs("nothing", to);
        fclose(to);
        return text;
}

static void report(struct comparison *comparison, const char *was, const char *is)
{
        comparison->count++;
        comparison->fn(comparison->user, comparison->path, was ? was : "", is ? is : "");
}

static void report_values(struct comparison *comparison, const upb_FieldDef *field,
        const upb_MessageValue *was, const upb_MessageValue *is)
{
        char *was_text = text_of(field, was), *is_text = text_of(field, is);

        report(comparison, was_text, is_text);
        free(was_text);
        free(is_text);
}

/* ---- comparing ---- */

static bool is_equal(const upb_FieldDef *field, upb_MessageValue was, upb_MessageValue is)
{
        switch (upb_FieldDef_CType(field)) {
        case kUpb_CType_Bool:
                return was.bool_val == is.bool_val;
        case kUpb_CType_Float:
        case kUpb_CType_Int32:
        case kUpb_CType_UInt32:
        case kUpb_CType_Enum:
                return was.uint32_val == is.uint32_val; /* by bits: NaN is NaN */
        case kUpb_CType_Double:
        case kUpb_CType_Int64:
        case kUpb_CType_UInt64:
                return was.uint64_val == is.uint64_val;
        default:
                return upb_StringView_IsEqual(was.str_val, is.str_val);
        }
}

static void compare_values(struct comparison *comparison, const upb_FieldDef *field,
        upb_MessageValue was, upb_MessageValue is)
{
        if (upb_FieldDef_IsSubMessage(field))
                compare_messages(
                        comparison, upb_FieldDef_MessageSubDef(field), was.msg_val, is.msg_val);
        else if (!is_equal(field, was, is))
                report_values(comparison, field, &was, &is);
}

static void compare_lists(struct comparison *comparison, const upb_FieldDef *field,
        const upb_Array *was, const upb_Array *is)
{
        size_t was_size = was ? upb_Array_Size(was) : 0, is_size = is ? upb_Array_Size(is) : 0;

        for (size_t i = 0; i < was_size || i < is_size; i++) {
                size_t used = append(comparison->path, PATH_BYTES, "[%zu]", i);
                upb_MessageValue was_value, is_value;

                if (i < was_size)
                        was_value = upb_Array_Get(was, i);
                if (i < is_size)
                        is_value = upb_Array_Get(is, i);
                if (i < was_size && i < is_size)
                        compare_values(comparison, field, was_value, is_value);
                else
                        report_values(comparison, field, i < was_size ? &was_value : NULL,
                                i < is_size ? &is_value : NULL);
                comparison->path[used] = '\0';
        }
}

static size_t enter_key(
        struct comparison *comparison, const upb_FieldDef *field, upb_MessageValue key)
{
        char *text = text_of(field, &key);
        size_t used = append(comparison->path, PATH_BYTES, "[%s]", text ? text : "");

        free(text);
        return used;
}

/* Of the entries of @map those that are in @other, too (@finds_both), or those that are not. */
static void compare_entries(struct comparison *comparison, const upb_MessageDef *entry,
        const upb_Map *map, const upb_Map *other, bool finds_both)
{
        const upb_FieldDef *key_field = upb_MessageDef_FindFieldByNumber(entry, 1);
        const upb_FieldDef *field = upb_MessageDef_FindFieldByNumber(entry, 2);
        upb_MessageValue key, value, other_value;
        size_t iterator = kUpb_Map_Begin;

        while (map && upb_Map_Next(map, &key, &value, &iterator)) {
                bool has = other && upb_Map_Get(other, key, &other_value);
                size_t used = enter_key(comparison, key_field, key);

                if (has && finds_both)
                        compare_values(comparison, field, value, other_value);
                else if (!has && finds_both)
                        report_values(comparison, field, &value, NULL);
                else if (!has)
                        report_values(comparison, field, NULL, &value);
                comparison->path[used] = '\0';
        }
}

static void compare_field(struct comparison *comparison, const upb_FieldDef *field,
        const upb_Message *was, const upb_Message *is)
{
        upb_MessageValue was_value = upb_Message_GetFieldByDef(was, field);
        upb_MessageValue is_value = upb_Message_GetFieldByDef(is, field);
        bool has_presence = upb_FieldDef_HasPresence(field);
        bool has_was = has_presence && upb_Message_HasFieldByDef(was, field);
        bool has_is = has_presence && upb_Message_HasFieldByDef(is, field);

        if (upb_FieldDef_IsMap(field)) {
                const upb_MessageDef *entry = upb_FieldDef_MessageSubDef(field);

                compare_entries(comparison, entry, was_value.map_val, is_value.map_val, true);
                compare_entries(comparison, entry, is_value.map_val, was_value.map_val, false);
        } else if (upb_FieldDef_IsRepeated(field)) {
                compare_lists(comparison, field, was_value.array_val, is_value.array_val);
        } else if (!has_presence || (has_was && has_is)) {
                compare_values(comparison, field, was_value, is_value);
        } else if (has_was != has_is) {
                report_values(
                        comparison, field, has_was ? &was_value : NULL, has_is ? &is_value : NULL);
        }
}

/* Whether both have the same bytes of fields that are not known. */
static bool has_same_unknown(const upb_Message *was, const upb_Message *is)
{
        uintptr_t was_cursor = kUpb_Message_UnknownBegin, is_cursor = kUpb_Message_UnknownBegin;
        upb_StringView was_part = { 0 }, is_part = { 0 };

        for (;;) {
                bool has_was =
                        was_part.size || upb_Message_NextUnknown(was, &was_part, &was_cursor);
                bool has_is = is_part.size || upb_Message_NextUnknown(is, &is_part, &is_cursor);
                size_t size = was_part.size < is_part.size ? was_part.size : is_part.size;

                if (!has_was || !has_is)
                        return has_was == has_is;
                if (memcmp(was_part.data, is_part.data, size) != 0)
                        return false;
                was_part =
                        upb_StringView_FromDataAndSize(was_part.data + size, was_part.size - size);
                is_part = upb_StringView_FromDataAndSize(is_part.data + size, is_part.size - size);
        }
}

static void compare_messages(struct comparison *comparison, const upb_MessageDef *type,
        const upb_Message *was, const upb_Message *is)
{
        if (comparison->depth == DEPTH_MAX)
                return; /* no message that was parsed is so deep */
        comparison->depth++;
        for (int i = 0; i < upb_MessageDef_FieldCount(type); i++) {
                const upb_FieldDef *field = upb_MessageDef_Field(type, i);
                const char *dot = comparison->path[0] ? "." : "";
                size_t path =
                        append(comparison->path, PATH_BYTES, "%s%s", dot, upb_FieldDef_Name(field));
                size_t name =
                        append(comparison->name, NAME_BYTES, "%s%s", dot, upb_FieldDef_Name(field));

                if (!is_ignored(comparison))
                        compare_field(comparison, field, was, is);
                comparison->path[path] = '\0';
                comparison->name[name] = '\0';
        }
        if (!has_same_unknown(was, is)) {
                size_t path = append(comparison->path, PATH_BYTES, "%s",
                        comparison->path[0] ? ".(unknown fields)" : "(unknown fields)");

                report(comparison, "other bytes", "these");
                comparison->path[path] = '\0';
        }
        comparison->depth--;
}

size_t fields_compare(const upb_MessageDef *type, const upb_Message *was, const upb_Message *is,
        const struct strings *ignored, fields_differ *fn, void *user)
{
        struct comparison comparison = { .ignored = ignored, .fn = fn, .user = user };

        compare_messages(&comparison, type, was, is);
        return comparison.count;
}
