/* SPDX-License-Identifier: MIT */
#include "codec/plugin/names.h"

#include <assert.h>
#include <string.h>

#include "codec/plugin/idents.h"
#include "codec/plugin/reserved.h"
#include "codec/plugin/spelling.h"

#include "upb/hash/str_table.h"

struct names {
        upb_Arena *arena;
        const struct options *options;
        upb_strtable chosen; /* full name in .proto to name in C */
        upb_strtable taken;  /* identifiers of the current file */
        const char *crowded; /* a thing whose name too many others have already, or NULL */
};

/* Each tries all names that were taken before: more things with one name would take long, and would be unreadable. */
enum { UNDERSCORES_MAX = 64 };

/* ---- the two tables --------------------------------------------------------------------------- */

static void names_insert(
        struct names *names, upb_strtable *table, const char *key, const char *value)
{
        bool ok = upb_strtable_insert(
                table, key, strlen(key), upb_value_constptr(value), names->arena);

        assert(ok); /* the key is new, and memory_alloc() would have ended the program */
        (void)ok;
}

static const char *names_lookup(const upb_strtable *table, const char *key)
{
        upb_value value;

        return upb_strtable_lookup(table, key, &value) ? upb_value_getconstptr(value) : NULL;
}

/* Takes each of @idents if all are free, also of each other, as a map called `clear` shows. */
static bool names_take(struct names *names, const struct idents *idents)
{
        for (size_t i = 0; i < idents->n; i++) {
                const char *ident = idents->list[i];

                if (!reserved_word(ident) && !upb_strtable_lookup(&names->taken, ident, NULL)) {
                        names_insert(names, &names->taken, ident, ident);
                        continue;
                }
                while (i-- > 0)
                        upb_strtable_remove(&names->taken, idents->list[i], NULL);
                return false;
        }
        return true;
}

/* @name, with as many `_` as make all of its identifiers free. NULL: those would be too many. */
static const char *names_claim(
        struct names *names, const void *def, const char *name, size_t n_max, idents_fn *fn)
{
        struct idents idents = {
                .names = names,
                .arena = names->arena,
                .list = memory_alloc(names->arena, n_max * sizeof(char *)),
        };

        fn(&idents, def, name);
        for (int n = 0; !names_take(names, &idents); n++) {
                if (n == UNDERSCORES_MAX)
                        return NULL;
                name = memory_format(names->arena, "%s_", name);
                idents.n = 0;
                fn(&idents, def, name);
        }
        return name;
}

/* ---- upb's own rule for fields ---------------------------------------------------------------- */

/*
 * For example a field called `clear_x` and one called `x`: upb renames the one with the prefix, whatever their order. Some
 * prefixes only matter if x is repeated or a map.
 */
static bool names_upb_conflict(const upb_MessageDef *m, const char *name)
{
        static const struct {
                const char *text;
                bool containers_only;
        } prefixes[] = {
                { "clear_", false },
                { "delete_", true },
                { "add_", true },
                { "resize_", true },
                { "set_", false },
                { "has_", false },
                { "mutable_", false },
        };

        for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++) {
                size_t size = strlen(prefixes[i].text);
                const upb_FieldDef *other;

                if (strncmp(name, prefixes[i].text, size))
                        continue;
                other = upb_MessageDef_FindFieldByName(m, name + size);
                if (other && (!prefixes[i].containers_only || upb_FieldDef_IsRepeated(other)))
                        return true;
        }
        return false;
}

/* ---- the prefix ------------------------------------------------------------------------------- */

/* @ident, of @file, with the file's prefix in front. */
static char *names_prefixed(const struct names *names, const upb_FileDef *file, char *ident)
{
        const char *prefix = options_prefix_of(names->options, upb_FileDef_Name(file));

        return *prefix ? memory_format(names->arena, "%s%s", prefix, ident) : ident;
}

static char *names_ident(const struct names *names, const upb_FileDef *file, const char *full_name)
{
        return names_prefixed(names, file, spelling_ident(names->arena, full_name));
}

const char *names_symbol(const struct names *names, const upb_FileDef *file, const char *full_name)
{
        return names_prefixed(names, file, spelling_symbol(names->arena, full_name));
}

const char *names_file_symbol(const struct names *names, const upb_FileDef *file)
{
        return names_prefixed(
                names, file, spelling_file_symbol(names->arena, upb_FileDef_Name(file)));
}

const char *names_file(const struct names *names, const upb_FileDef *file)
{
        return names_prefixed(names, file, spelling_file(names->arena, upb_FileDef_Name(file)));
}

/* ---- a file ----------------------------------------------------------------------------------- */

static void names_choose(struct names *names, const char *full_name, const void *def,
        const char *wish, size_t n_max, idents_fn *fn)
{
        const char *name = names->crowded ? NULL : names_claim(names, def, wish, n_max, fn);

        if (!name)
                names->crowded = full_name;
        names_insert(names, &names->chosen, full_name, name ? name : wish);
}

static void names_add_types(struct names *names, const struct outline *outline)
{
        for (size_t i = 0; i < outline->n_messages; i++) {
                const upb_MessageDef *m = outline->messages[i];
                const char *full_name = upb_MessageDef_FullName(m);

                names_choose(names, full_name, m,
                        names_ident(names, upb_MessageDef_File(m), full_name), IDENTS_MAX,
                        idents_of_message);
        }
        for (size_t i = 0; i < outline->n_enums; i++) {
                const char *full_name = upb_EnumDef_FullName(outline->enums[i]);

                names_choose(names, full_name, NULL,
                        names_ident(names, upb_EnumDef_File(outline->enums[i]), full_name),
                        IDENTS_MAX, idents_of_enum);
        }
}

static const char *names_package(const upb_FileDef *file)
{
        const char *package = upb_FileDef_Package(file);

        return package ? package : "";
}

static const char *names_value(const struct names *names, const upb_EnumValueDef *value)
{
        const upb_EnumDef *e = upb_EnumValueDef_Enum(value);
        const upb_MessageDef *outer = upb_EnumDef_ContainingType(e);
        const char *name = upb_EnumValueDef_Name(value);

        if (!outer)
                return names_prefixed(names, upb_EnumDef_File(e),
                        spelling_value(names->arena, names_package(upb_EnumDef_File(e)), name));
        return memory_format(
                names->arena, "%s_%s", names_of(names, upb_MessageDef_FullName(outer)), name);
}

static void names_add_values(struct names *names, const upb_EnumDef *e)
{
        for (int i = 0; i < upb_EnumDef_ValueCount(e); i++) {
                const upb_EnumValueDef *value = upb_EnumDef_Value(e, i);

                names_choose(names, upb_EnumValueDef_FullName(value), NULL,
                        names_value(names, value), IDENTS_MAX, idents_of_value);
        }
}

static void names_add_fields(struct names *names, const upb_MessageDef *m)
{
        for (int i = 0; i < upb_MessageDef_FieldCount(m); i++) {
                const upb_FieldDef *f = upb_MessageDef_Field(m, i);
                const char *wish = upb_FieldDef_Name(f);

                if (names_upb_conflict(m, wish))
                        wish = memory_format(names->arena, "%s_", wish);
                names_choose(names, upb_FieldDef_FullName(f), f, wish, IDENTS_MAX, idents_of_field);
        }
}

static void names_add_oneofs(struct names *names, const upb_MessageDef *m)
{
        for (int i = 0; i < upb_MessageDef_RealOneofCount(m); i++) {
                const upb_OneofDef *o = upb_MessageDef_Oneof(m, i);

                names_choose(names, upb_OneofDef_FullName(o), o, upb_OneofDef_Name(o),
                        IDENTS_MAX + (size_t)upb_OneofDef_FieldCount(o), idents_of_oneof);
        }
}

/* Keys that no full name in a .proto file can be. */
static const char *names_member_key(const struct names *names, const upb_MethodDef *method)
{
        return memory_format(names->arena, "%s member", upb_MethodDef_FullName(method));
}

/* Members need to be unique in their own struct only. */
static const char *names_member(struct names *names, const upb_MethodDef *method)
{
        const char *name = upb_MethodDef_Name(method);
        const upb_ServiceDef *service = upb_MethodDef_Service(method);

        if (!reserved_member(name))
                return name;
        do
                name = memory_format(names->arena, "%s_", name);
        while (upb_ServiceDef_FindMethodByName(service, name));
        return name;
}

static void names_add_service(struct names *names, const upb_ServiceDef *service)
{
        const char *full_name = upb_ServiceDef_FullName(service);

        names_choose(names, full_name, service,
                names_ident(names, upb_ServiceDef_File(service), full_name), IDENTS_MAX,
                idents_of_service);
        for (int i = 0; i < upb_ServiceDef_MethodCount(service); i++) {
                const upb_MethodDef *method = upb_ServiceDef_Method(service, i);
                const char *wish = memory_format(names->arena, "%s_%s", names_of(names, full_name),
                        upb_MethodDef_Name(method));

                names_choose(names, upb_MethodDef_FullName(method), method, wish, IDENTS_MAX,
                        idents_of_method);
                names_insert(names, &names->chosen, names_member_key(names, method),
                        names_member(names, method));
        }
}

static void names_take_tables(
        struct names *names, const upb_FileDef *file, const struct outline *outline)
{
        size_t n_max = idents_of_tables_max(file, outline);
        struct idents idents = {
                .names = names,
                .arena = names->arena,
                .list = memory_alloc(names->arena, n_max * sizeof(char *)),
        };

        idents_of_tables(&idents, file, outline);
        assert(idents.n <= n_max);
        for (size_t i = 0; i < idents.n; i++)
                names_insert(names, &names->taken, idents.list[i], idents.list[i]);
}

const char *names_add_file(
        struct names *names, const upb_FileDef *file, const struct outline *outline)
{
        upb_strtable_clear(&names->taken);
        names_take_tables(names, file, outline);
        names_add_types(names, outline);
        for (size_t i = 0; i < outline->n_enums; i++)
                names_add_values(names, outline->enums[i]);
        for (size_t i = 0; i < outline->n_messages; i++)
                names_add_fields(names, outline->messages[i]);
        for (size_t i = 0; i < outline->n_messages; i++)
                names_add_oneofs(names, outline->messages[i]);
        for (size_t i = 0; i < outline->n_extensions; i++) {
                const upb_FieldDef *ext = outline->extensions[i];

                names_choose(names, upb_FieldDef_FullName(ext), ext, upb_FieldDef_Name(ext),
                        IDENTS_MAX, idents_of_extension);
        }
        for (int i = 0; i < upb_FileDef_ServiceCount(file); i++)
                names_add_service(names, upb_FileDef_Service(file, i));
        return names->crowded;
}

struct names *names_new(upb_Arena *arena, const struct options *options)
{
        struct names *names = memory_alloc(arena, sizeof(*names));
        bool ok;

        *names = (struct names){ .arena = arena, .options = options };
        ok = upb_strtable_init(&names->chosen, 64, arena) &&
             upb_strtable_init(&names->taken, 64, arena);
        assert(ok);
        (void)ok;
        return names;
}

/* ---- asking ----------------------------------------------------------------------------------- */

const char *names_of(const struct names *names, const char *full_name)
{
        const char *name = names_lookup(&names->chosen, full_name);

        assert(name);
        return name;
}

const char *names_method_member(const struct names *names, const upb_MethodDef *method)
{
        return names_of(names, names_member_key(names, method));
}

const char *names_method_prefix(const struct names *names, const upb_MethodDef *method)
{
        return names_of(names, upb_MethodDef_FullName(method));
}

const char *names_extension_scope(const struct names *names, const upb_FieldDef *extension)
{
        const upb_MessageDef *scope = upb_FieldDef_ExtensionScope(extension);
        const upb_FileDef *file = upb_FieldDef_File(extension);

        if (scope)
                return names_of(names, upb_MessageDef_FullName(scope));
        return names_ident(names, file, names_package(file));
}

const char *names_extension_table_for(
        const struct names *names, const upb_FieldDef *extension, const char *name)
{
        const upb_FileDef *file = upb_FieldDef_File(extension);

        if (!upb_FieldDef_ExtensionScope(extension) && !*names_package(file))
                return names_prefixed(names, file, memory_format(names->arena, "%s_ext", name));
        return memory_format(
                names->arena, "%s_%s_ext", names_extension_scope(names, extension), name);
}

const char *names_extension_table(const struct names *names, const upb_FieldDef *extension)
{
        return names_extension_table_for(
                names, extension, names_of(names, upb_FieldDef_FullName(extension)));
}

const char *names_oneof_constant(
        const struct names *names, const upb_OneofDef *o, const upb_FieldDef *f)
{
        const char *scope =
                names_of(names, upb_MessageDef_FullName(upb_OneofDef_ContainingType(o)));

        return spelling_oneof_constant(
                names->arena, scope, names_of(names, upb_OneofDef_FullName(o)), o, f);
}
