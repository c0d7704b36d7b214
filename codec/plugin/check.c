/* SPDX-License-Identifier: MIT */
#include "codec/plugin/check_parts.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool check_fail(struct check *check, const char *where, const char *format, ...)
{
        upb_StringView file = google_protobuf_FileDescriptorProto_name(check->source->proto);
        va_list args;
        char what[2048];

        va_start(args, format);
        vsnprintf(what, sizeof(what), format, args);
        va_end(args);
        check->problem = memory_format(check->arena, "protoc-gen-quoit: %s: %s%s%s",
                text_line(check->arena, file.data, file.size), where ? where : "",
                where ? ": " : "", what);
        return false;
}

const void *check_lookup(const upb_strtable *table, upb_StringView key)
{
        upb_value value;

        return upb_strtable_lookup2(table, key.data, key.size, &value)
                       ? upb_value_getconstptr(value)
                       : NULL;
}

void check_insert(struct check *check, upb_strtable *table, upb_StringView key, const void *value)
{
        bool ok = upb_strtable_insert(
                table, key.data, key.size, upb_value_constptr(value), check->arena);

        memory_check(ok ? check : NULL);
}

struct check *check_new(upb_Arena *arena)
{
        struct check *check = memory_alloc(arena, sizeof(*check));
        bool ok;

        *check = (struct check){ .arena = arena };
        ok = upb_strtable_init(&check->sources, 16, arena) &&
             upb_strtable_init(&check->outputs, 16, arena) &&
             upb_strtable_init(&check->symbols, 64, arena);
        memory_check(ok ? check : NULL);
        return check;
}

const char *check_file(struct check *check, const google_protobuf_FileDescriptorProto *file)
{
        bool ok = check_source(check, file) && check_symbols(check) && check_definitions(check);

        assert(ok == !check->problem);
        (void)ok;
        return check->problem;
}
