/* SPDX-License-Identifier: MIT */
#include "codec/plugin/comments.h"

#include <assert.h>
#include <string.h>

#include "codec/plugin/text.h"

#include "upb/hash/str_table.h"

struct comments {
        upb_Arena *arena;
        upb_strtable by_name; /* full name to google_protobuf_SourceCodeInfo_Location */
};

/* Field numbers in descriptor.proto. A name is always in field 1. */
enum { NAME = 1, FILE_PACKAGE = 2, FILE_SYNTAX = 12, FILE_EDITION = 14 };

static const upb_Message *comments_element(
        const upb_Message *msg, const upb_MiniTableField *f, int32_t i)
{
        const upb_Array *array;

        if (!f || !upb_MiniTableField_IsArray(f) || !upb_MiniTableField_IsSubMessage(f))
                return NULL;
        array = upb_Message_GetArray(msg, f);
        if (!array || i < 0 || (size_t)i >= upb_Array_Size(array))
                return NULL;
        return upb_Array_Get(array, (size_t)i).msg_val;
}

/*
 * The full name of the thing at a location's path: pairs of a field's number and an index, from the file's descriptor inwards.
 * NULL if it has no name.
 */
static const char *comments_resolve(upb_Arena *arena,
        const google_protobuf_FileDescriptorProto *file, const int32_t *path, size_t n)
{
        const upb_MiniTable *table = &google__protobuf__FileDescriptorProto_msg_init;
        const upb_Message *msg = UPB_UPCAST(file);
        upb_StringView package = google_protobuf_FileDescriptorProto_package(file);
        const char *name = memory_copy(arena, package.data, package.size), *outer = name;

        for (; n >= 2; path += 2, n -= 2) {
                const upb_MiniTableField *f =
                        upb_MiniTable_FindFieldByNumber(table, (uint32_t)path[0]);
                const upb_MiniTableField *name_field;
                upb_StringView part;

                /* Values are in the scope of their enum, not inside it. */
                if (table != &google__protobuf__EnumDescriptorProto_msg_init)
                        outer = name;
                msg = comments_element(msg, f, path[1]);
                if (!msg)
                        return NULL;
                table = upb_MiniTable_SubMessage(f);
                name_field = upb_MiniTable_FindFieldByNumber(table, NAME);
                if (!name_field || upb_MiniTableField_CType(name_field) != kUpb_CType_String)
                        return NULL;
                part = upb_Message_GetString(msg, name_field, upb_StringView_FromString(""));
                name = memory_format(
                        arena, "%s%s%.*s", outer, *outer ? "." : "", (int)part.size, part.data);
        }
        return n || name == outer ? NULL : name;
}

/* The keys of the file's own comments are the fields at which they stand; these cannot be full names. */
static const char *comments_file_key(const int32_t *path, size_t n)
{
        if (n != 1)
                return NULL;
        switch (path[0]) {
        case FILE_SYNTAX:
        case FILE_EDITION:
                return "file 1";
        case FILE_PACKAGE:
                return "file 2";
        default:
                return NULL;
        }
}

static void comments_add(struct comments *c, const google_protobuf_FileDescriptorProto *file,
        const google_protobuf_SourceCodeInfo_Location *location)
{
        const char *key;
        const int32_t *path;
        size_t n;
        bool ok;

        if (!google_protobuf_SourceCodeInfo_Location_has_leading_comments(location) &&
                !google_protobuf_SourceCodeInfo_Location_has_trailing_comments(location))
                return;
        path = google_protobuf_SourceCodeInfo_Location_path(location, &n);
        key = comments_file_key(path, n);
        if (!key)
                key = comments_resolve(c->arena, file, path, n);
        if (!key || upb_strtable_lookup(&c->by_name, key, NULL))
                return;
        ok = upb_strtable_insert(
                &c->by_name, key, strlen(key), upb_value_constptr(location), c->arena);
        assert(ok);
        (void)ok;
}

struct comments *comments_new(const google_protobuf_FileDescriptorProto *file, upb_Arena *arena)
{
        struct comments *c = memory_alloc(arena, sizeof(*c));
        const google_protobuf_SourceCodeInfo *info =
                google_protobuf_FileDescriptorProto_source_code_info(file);
        const google_protobuf_SourceCodeInfo_Location *const *locations;
        size_t n;
        bool ok;

        c->arena = arena;
        ok = upb_strtable_init(&c->by_name, 16, arena);
        assert(ok);
        (void)ok;
        locations = info ? google_protobuf_SourceCodeInfo_location(info, &n) : NULL;
        for (size_t i = 0; locations && i < n; i++)
                comments_add(c, file, locations[i]);
        return c;
}

/*
 * Characters that would end the C comment, or start one in it, or stand for a backslash, are separated by a space. Unprintable
 * characters become spaces.
 */
static void comments_emit_line(
        struct printer *p, int indent, const char *mark, const char *line, size_t size)
{
        char last = ' ';

        printer_printf(p, "%*s%s%s", indent, "", mark, size && line[0] != ' ' ? " " : "");
        for (size_t i = 0, n; i < size; i += n) {
                bool printable;
                const char *c = line + i;

                n = text_char(c, size - i, &printable);
                if (!printable && *c != '\t')
                        c = " ", n = 1;
                if ((*c == '/' && (last == '*' || last == '?')) || (*c == '*' && last == '/'))
                        printer_append(p, " ", 1);
                printer_append(p, c, n);
                last = c[n - 1];
        }
}

static size_t comments_trim(const char *text, size_t size)
{
        while (size && (text[size - 1] == ' ' || text[size - 1] == '\t' || text[size - 1] == '\r' ||
                               text[size - 1] == '\n'))
                size--;
        return size;
}

static void comments_emit_text(struct printer *p, int indent, upb_StringView text)
{
        const char *line = text.data ? text.data : "";
        const char *end = line + comments_trim(line, text.size);

        while (line < end) {
                const char *newline = memchr(line, '\n', (size_t)(end - line));
                const char *next = newline ? newline : end;

                comments_emit_line(
                        p, indent, " *", line, comments_trim(line, (size_t)(next - line)));
                printer_append(p, "\n", 1);
                line = next + 1;
        }
}

/* One line stays one line. */
static bool comments_is_short(upb_StringView text)
{
        return !memchr(text.data, '\n', comments_trim(text.data, text.size));
}

void comments_emit(const struct comments *c, struct printer *p, const char *full_name, int indent)
{
        upb_value value;
        upb_StringView before, behind;

        if (!upb_strtable_lookup(&c->by_name, full_name, &value))
                return;
        before = google_protobuf_SourceCodeInfo_Location_leading_comments(
                upb_value_getconstptr(value));
        behind = google_protobuf_SourceCodeInfo_Location_trailing_comments(
                upb_value_getconstptr(value));
        if (!before.size || !behind.size) {
                upb_StringView text = before.size ? before : behind;

                if (comments_is_short(text)) {
                        comments_emit_line(
                                p, indent, "/*", text.data, comments_trim(text.data, text.size));
                        printer_printf(p, " */\n");
                        return;
                }
        }
        printer_printf(p, "%*s/*\n", indent, "");
        comments_emit_text(p, indent, before);
        if (before.size && behind.size)
                printer_printf(p, "%*s *\n", indent, "");
        comments_emit_text(p, indent, behind);
        printer_printf(p, "%*s */\n", indent, "");
}

void comments_emit_file(const struct comments *c, struct printer *p)
{
        comments_emit(c, p, "file 1", 0);
        comments_emit(c, p, "file 2", 0);
}
