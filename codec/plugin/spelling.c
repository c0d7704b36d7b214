/* SPDX-License-Identifier: MIT */
#include "codec/plugin/spelling.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* Whether a part of it begins or ends with "_": next to the "_" that "." becomes, these would be ambiguous. */
static bool spelling_is_odd(const char *full_name)
{
        for (const char *p = full_name; *p; p++)
                if (*p == '_' && (p == full_name || p[-1] == '.' || !p[1] || p[1] == '.'))
                        return true;
        return false;
}

static char *spelling_mangle(upb_Arena *arena, const char *full_name)
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

/* No part of a name begins with a digit, so nothing else ends in "_1". */
char *spelling_ident(upb_Arena *arena, const char *full_name)
{
        char *ident, *out;

        if (spelling_is_odd(full_name))
                return memory_format(arena, "%s_1", spelling_mangle(arena, full_name));
        ident = out = memory_alloc(arena, 2 * strlen(full_name) + 1);
        for (const char *p = full_name; *p; p++) {
                *out++ = *p == '.' ? '_' : *p;
                if (*p == '_')
                        *out++ = '_';
        }
        *out = '\0';
        return ident;
}

static bool spelling_has_lower(const char *name)
{
        for (; *name; name++)
                if (islower((unsigned char)*name))
                        return true;
        return false;
}

/* Capitals and digits, with single "_" between them. */
static bool spelling_is_constant(const char *name)
{
        return !spelling_has_lower(name) && !spelling_is_odd(name) && !strstr(name, "__");
}

char *spelling_value(upb_Arena *arena, const char *package, const char *name)
{
        const char *last = strrchr(package, '.');

        if (*package && !(spelling_is_constant(name) && spelling_has_lower(last ? last : package)))
                return spelling_ident(arena, memory_format(arena, "%s.%s", package, name));
        return memory_format(
                arena, "%s%s%s", spelling_ident(arena, package), *package ? "_" : "", name);
}

char *spelling_symbol(upb_Arena *arena, const char *full_name)
{
        return memory_format(arena, "quoit_%s", spelling_mangle(arena, full_name));
}

char *spelling_file_symbol(upb_Arena *arena, const char *file_name)
{
        char *mangled = memory_alloc(arena, 4 * strlen(file_name) + 1), *out = mangled;

        for (const unsigned char *p = (const unsigned char *)file_name; *p; p++) {
                if (isalnum(*p)) {
                        *out++ = (char)*p;
                        continue;
                }
                *out++ = '_';
                if (*p == '/' || *p == '_' || *p == '.')
                        *out++ = *p == '/' ? '_' : *p == '_' ? '0' : '1';
                else
                        out += sprintf(out, "2%02x", *p);
        }
        *out = '\0';
        return memory_format(arena, "quoit_file_%s", mangled);
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
