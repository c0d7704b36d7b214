/* SPDX-License-Identifier: MIT */
#include "options.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "literal.h"
#include "names.h"

#include "upb/reflection/message.h"
#include "upb/text/encode.h"
#include "upb/wire/decode.h"
#include "upb/wire/encode.h"

const struct options_kind options_of_file = { "FileOptions", 8 },
                          options_of_message = { "MessageOptions", 7 },
                          options_of_field = { "FieldOptions", 8 },
                          options_of_oneof = { "OneofOptions", 2 },
                          options_of_range = { "ExtensionRangeOptions", 3 },
                          options_of_enum = { "EnumOptions", 3 },
                          options_of_value = { "EnumValueOptions", 3 },
                          options_of_service = { "ServiceOptions", 3 },
                          options_of_method = { "MethodOptions", 4 };

/* A value that is longer than this as one line has some lines, as far as it can. */
enum { LINE_VALUE_MAX = 60 };

struct option {
        const char *name; /* a path, with the parentheses of custom ones */
        const upb_FieldDef *field;
        upb_MessageValue value;
};

/* The options of an element, in the order of their numbers, custom ones last. */
struct options {
        struct option *list;
        size_t count, room;
};

upb_StringView options_bytes(struct printer *p, const void *options, const upb_MiniTable *table)
{
        upb_StringView bytes = upb_StringView_FromString("");
        char *data;
        size_t size;

        if (options &&
                upb_Encode(options, table, 0, p->arena, &data, &size) == kUpb_EncodeStatus_Ok)
                bytes = upb_StringView_FromDataAndSize(data, size);
        return bytes;
}

/* ---- collection ---- */

static void add(struct printer *p, struct options *all, const char *name, const upb_FieldDef *field,
        upb_MessageValue value)
{
        if (all->count == all->room) {
                struct option *list =
                        printer_memory(p, all->room = 2 * all->room + 8, sizeof(*list));

                if (all->count)
                        memcpy(list, all->list, all->count * sizeof(*list));
                all->list = list;
        }
        all->list[all->count++] = (struct option){ name, field, value };
}

static int compare_fields(const void *a, const void *b)
{
        const struct option *left = a, *right = b;
        bool custom = upb_FieldDef_IsExtension(left->field);

        if (custom != upb_FieldDef_IsExtension(right->field))
                return custom ? 1 : -1;
        return upb_FieldDef_Number(left->field) < upb_FieldDef_Number(right->field) ? -1 : 1;
}

static const char *name_of(
        struct printer *p, const char *scope, const char *path, const upb_FieldDef *field)
{
        if (upb_FieldDef_IsExtension(field))
                return printer_format(p, "%s(%s)", path, names_of_option(p, scope, field));
        return printer_format(p, "%s%s", path, upb_FieldDef_Name(field));
}

static bool is_features(const upb_FieldDef *field)
{
        const upb_MessageDef *type =
                upb_FieldDef_IsSubMessage(field) ? upb_FieldDef_MessageSubDef(field) : NULL;

        return type && !strcmp(upb_MessageDef_FullName(type), "google.protobuf.FeatureSet");
}

static void collect(struct printer *p, struct options *all, const char *scope, const char *path,
        const upb_Message *message, const upb_MessageDef *type);

/* A repeated option is set once for each of its values. Features are set one by one, as people write them. */
static void collect_option(
        struct printer *p, struct options *all, const char *scope, const struct option *option)
{
        if (upb_FieldDef_IsRepeated(option->field)) {
                for (size_t i = 0; i < upb_Array_Size(option->value.array_val); i++)
                        add(p, all, option->name, option->field,
                                upb_Array_Get(option->value.array_val, i));
        } else if (is_features(option->field) || strstr(option->name, "features.(")) {
                collect(p, all, scope, printer_format(p, "%s.", option->name),
                        option->value.msg_val, upb_FieldDef_MessageSubDef(option->field));
        } else {
                add(p, all, option->name, option->field, option->value);
        }
}

static void collect(struct printer *p, struct options *all, const char *scope, const char *path,
        const upb_Message *message, const upb_MessageDef *type)
{
        struct options found = { 0 };
        const upb_FieldDef *field;
        upb_MessageValue value;
        size_t iterator = kUpb_Message_Begin;

        while (upb_Message_Next(message, type, p->pool, &field, &value, &iterator))
                add(p, &found, name_of(p, scope, path, field), field, value);
        if (found.count)
                qsort(found.list, found.count, sizeof(*found.list), compare_fields);
        for (size_t i = 0; i < found.count; i++)
                collect_option(p, all, scope, &found.list[i]);
}

/* Parsed once more, now with the pool's custom options. */
static struct options options_parse(
        struct printer *p, const struct options_kind *kind, const char *scope, upb_StringView bytes)
{
        struct options all = { 0 };
        const upb_MessageDef *type = upb_DefPool_FindMessageByName(
                p->pool, printer_format(p, "google.protobuf.%s", kind->type));
        const upb_MiniTable *table = type ? upb_MessageDef_MiniTable(type) : NULL;
        upb_Message *message = table ? upb_Message_New(table, p->arena) : NULL;

        if (bytes.size && message &&
                upb_Decode(bytes.data, bytes.size, message, table,
                        upb_DefPool_ExtensionRegistry(p->pool), 0,
                        p->arena) == kUpb_DecodeStatus_Ok)
                collect(p, &all, scope, "", message, type);
        return all;
}

/* ---- values ---- */

static upb_StringView message_text(struct printer *p, const struct option *option, int flags)
{
        const upb_MessageDef *type = upb_FieldDef_MessageSubDef(option->field);
        size_t size;
        char *text;

        flags |= UPB_TXTENC_SKIPUNKNOWN;
        size = upb_TextEncode(option->value.msg_val, type, p->pool, flags, NULL, 0);
        text = printer_memory(p, size, 1);
        upb_TextEncode(option->value.msg_val, type, p->pool, flags, text, size + 1);
        return upb_StringView_FromDataAndSize(text, size);
}

/* In the text format, which indents by two spaces, as this does. */
static void print_message(struct printer *p, const struct option *option)
{
        upb_StringView text = message_text(p, option, UPB_TXTENC_SINGLELINE);

        while (text.size && text.data[text.size - 1] == ' ')
                text.size--;
        if (text.size <= LINE_VALUE_MAX) {
                fprintf(p->out, text.size ? "{ " VIEW_FORMAT " }" : "{" VIEW_FORMAT "}",
                        VIEW_ARGS(text));
                return;
        }
        text = message_text(p, option, 0);
        fputs("{\n", p->out);
        for (const char *line = text.data, *end = line + text.size; line < end;) {
                const char *newline = memchr(line, '\n', (size_t)(end - line));
                const char *stop = newline ? newline : end;

                printer_indent(p);
                fprintf(p->out, "  %.*s\n", (int)(stop - line), line);
                line = stop + 1;
        }
        printer_indent(p);
        fputc('}', p->out);
}

/* The shortest that comes back. */
static void print_real(struct printer *p, double value, bool is_float)
{
        char text[64];

        if (isnan(value) || isinf(value)) {
                fputs(isnan(value) ? "nan" : value < 0 ? "-inf" : "inf", p->out);
                return;
        }
        for (int digits = is_float ? 6 : 15; digits <= 17; digits++) {
                snprintf(text, sizeof(text), "%.*g", digits, value);
                if (is_float ? strtof(text, NULL) == (float)value : strtod(text, NULL) == value)
                        break;
        }
        fputs(text, p->out);
}

static void print_enum(struct printer *p, const upb_FieldDef *field, int32_t number)
{
        const upb_EnumValueDef *value =
                upb_EnumDef_FindValueByNumber(upb_FieldDef_EnumSubDef(field), number);

        if (value)
                fputs(upb_EnumValueDef_Name(value), p->out);
        else
                fprintf(p->out, "%" PRId32, number);
}

static void print_value(struct printer *p, const struct option *option)
{
        switch (upb_FieldDef_CType(option->field)) {
        case kUpb_CType_Bool:
                fputs(option->value.bool_val ? "true" : "false", p->out);
                break;
        case kUpb_CType_Float:
                print_real(p, (double)option->value.float_val, true);
                break;
        case kUpb_CType_Double:
                print_real(p, option->value.double_val, false);
                break;
        case kUpb_CType_Int32:
                fprintf(p->out, "%" PRId32, option->value.int32_val);
                break;
        case kUpb_CType_UInt32:
                fprintf(p->out, "%" PRIu32, option->value.uint32_val);
                break;
        case kUpb_CType_Int64:
                fprintf(p->out, "%" PRId64, option->value.int64_val);
                break;
        case kUpb_CType_UInt64:
                fprintf(p->out, "%" PRIu64, option->value.uint64_val);
                break;
        case kUpb_CType_Enum:
                print_enum(p, option->field, option->value.int32_val);
                break;
        case kUpb_CType_Message:
                print_message(p, option);
                break;
        default:
                literal_print(p->out, option->value.str_val);
        }
}

/* ---- statements and lists ---- */

size_t options_print_statements(struct printer *p, const struct options_kind *kind,
        const char *scope, upb_StringView options)
{
        struct options all = options_parse(p, kind, scope, options);

        for (size_t i = 0; i < all.count; i++) {
                printer_push(p, kind->number, upb_FieldDef_Number(all.list[i].field));
                printer_begin(p, false, false);
                fprintf(p->out, "option %s = ", all.list[i].name);
                print_value(p, &all.list[i]);
                fputc(';', p->out);
                printer_end(p, false);
                printer_pop(p);
        }
        if (all.count)
                p->after_block = true;
        return all.count;
}

void options_list_next(struct printer *p, struct options_list *list)
{
        fputs(list->count++ ? ", " : " [", p->out);
}

void options_list_add(struct printer *p, struct options_list *list, const struct options_kind *kind,
        const char *scope, upb_StringView options)
{
        struct options all = options_parse(p, kind, scope, options);

        for (size_t i = 0; i < all.count; i++) {
                options_list_next(p, list);
                fprintf(p->out, "%s = ", all.list[i].name);
                print_value(p, &all.list[i]);
        }
}

void options_list_end(struct printer *p, struct options_list *list)
{
        if (list->count)
                fputc(']', p->out);
}

void options_print_list(struct printer *p, const struct options_kind *kind, const char *scope,
        upb_StringView options)
{
        struct options_list list = { 0 };

        options_list_add(p, &list, kind, scope, options);
        options_list_end(p, &list);
}
