/* SPDX-License-Identifier: MIT */
#include "codec/plugin/spelling.h"

#include <ctype.h>
#include <string.h>

char *spelling_ident(upb_Arena *arena, const char *full_name)
{
        char *ident = memory_copy(arena, full_name, strlen(full_name));

        for (char *p = ident; *p; p++)
                if (*p == '.')
                        *p = '_';
        return ident;
}

char *spelling_mangle(upb_Arena *arena, const char *full_name)
{
        char *mangled = memory_alloc(arena, 2 * strlen(full_name) + 1), *out = mangled;

        for (const char *p = full_name; *p; p++) {
                *out++ = *p == '.' ? '_' : *p;
                if (*p == '_')
                        *out++ = '0';
                else if (*p == '.')
                        *out++ = '_';
        }
        *out = '\0';
        return mangled;
}

char *spelling_file(upb_Arena *arena, const char *file_name)
{
        char *ident = memory_format(
                arena, "%s%s", isdigit((unsigned char)*file_name) ? "_" : "", file_name);

        for (char *p = ident; *p; p++)
                if (!isalnum((unsigned char)*p))
                        *p = '_';
        return ident;
}

char *spelling_output(upb_Arena *arena, const char *file_name, const char *suffix)
{
        const char *slash = strrchr(file_name, '/'), *dot = strrchr(file_name, '.');
        size_t size =
                dot && (!slash || dot > slash) ? (size_t)(dot - file_name) : strlen(file_name);

        return memory_format(arena, "%.*s%s", (int)size, file_name, suffix);
}

char *spelling_extension_table(upb_Arena *arena, const char *scope, const char *name)
{
        return memory_format(arena, "%s%s%s_ext", scope, *scope ? "_" : "", name);
}

char *spelling_oneof_constant(upb_Arena *arena, const char *scope, const char *name,
        const upb_OneofDef *o, const upb_FieldDef *f)
{
        const char *field = upb_FieldDef_Name(f);

        if (!strcmp(field, "case") || !strcmp(field, "oneofcases") || !strcmp(field, "NOT_SET"))
                do
                        field = memory_format(arena, "%s_", field);
                while (upb_OneofDef_LookupName(o, field));
        return memory_format(arena, "%s_%s_%s", scope, name, field);
}
