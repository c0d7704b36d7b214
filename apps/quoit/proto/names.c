/* SPDX-License-Identifier: MIT */
#include "names.h"

#include <string.h>

/*
 * protoc takes a name's first part, looks for it in the innermost scope and then further out, and stays with the first that it finds. Here
 * more counts as found than there: also what is not imported. So a name may be longer than it had to be, and is never wrong.
 */

static bool is_package(const struct printer *p, const char *name)
{
        size_t size = strlen(name);

        for (size_t i = 0; i < p->n_files; i++) {
                const char *package = upb_FileDef_Package(p->files[i]);

                if (!strncmp(package, name, size) &&
                        (package[size] == '\0' || package[size] == '.'))
                        return true;
        }
        return false;
}

static bool is_method(const struct printer *p, const char *name)
{
        const char *dot = strrchr(name, '.');
        const upb_ServiceDef *service =
                dot ? upb_DefPool_FindServiceByNameWithSize(p->pool, name, (size_t)(dot - name))
                    : NULL;

        return service && upb_ServiceDef_FindMethodByName(service, dot + 1);
}

static bool exists(const struct printer *p, const char *name)
{
        return upb_DefPool_FindFileContainingSymbol(p->pool, name) || is_package(p, name) ||
               is_method(p, name);
}

/* Whether @name, the end of @full, is found where it should be, seen from @scope. */
static bool means(struct printer *p, const char *scope, const char *name, const char *full)
{
        int first = (int)strcspn(name, ".");
        int expected = (int)(name - full) + first;

        for (int size = (int)strlen(scope);; size--) {
                if (size == 0 || scope[size] == '\0' || scope[size] == '.') {
                        const char *tried = printer_format(
                                p, "%.*s%s%.*s", size, scope, size ? "." : "", first, name);

                        if (exists(p, tried))
                                return (int)strlen(tried) == expected &&
                                       !strncmp(tried, full, (size_t)expected);
                }
                if (size == 0)
                        return false;
        }
}

static void note_need(struct printer *p, const upb_FileDef *file)
{
        for (size_t i = 0; i < p->n_files; i++)
                if (p->files[i] == file)
                        p->needed[i] = true;
}

const char *names_of_type(struct printer *p, const char *scope, upb_StringView full_name)
{
        const char *name = printer_string(p, full_name), *full = name + 1;
        const upb_FileDef *file;
        size_t package_size;

        if (name[0] != '.')
                return name;
        file = upb_DefPool_FindFileContainingSymbol(p->pool, full);
        note_need(p, file);
        package_size = file ? strlen(upb_FileDef_Package(file)) : 0;
        for (const char *end = full + strlen(full); end > full;) {
                do
                        end--;
                while (end > full && end[-1] != '.');
                /* Nobody writes a part of a package's name. */
                if ((end == full || (size_t)(end - full) > package_size) &&
                        means(p, scope, end, full))
                        return end;
        }
        return name;
}

const char *names_of_option(struct printer *p, const char *scope, const upb_FieldDef *extension)
{
        const char *full = upb_FieldDef_FullName(extension);

        note_need(p, upb_FieldDef_File(extension));
        return means(p, scope, full, full) ? full : printer_format(p, ".%s", full);
}
