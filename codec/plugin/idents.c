/* SPDX-License-Identifier: MIT */
#include "codec/plugin/idents.h"

#include "codec/plugin/spelling.h"

#define IDENT(...) (idents->list[idents->n++] = memory_format(idents->arena, __VA_ARGS__))

void idents_of_single(struct idents *idents, const void *def, const char *name)
{
        (void)def;
        IDENT("%s", name);
}

void idents_of_message(struct idents *idents, const void *def, const char *name)
{
        (void)def;
        IDENT("%s", name);
        IDENT("%s_new", name);
        IDENT("%s_parse", name);
        IDENT("%s_parse_ex", name);
        IDENT("%s_serialize", name);
        IDENT("%s_serialize_ex", name);
}

static void idents_of_accessors(
        struct idents *idents, const upb_FieldDef *f, const char *scope, const char *name)
{
        IDENT("%s_clear_%s", scope, name);
        if (upb_FieldDef_IsMap(f)) {
                IDENT("%s_%s_size", scope, name);
                IDENT("%s_%s_get", scope, name);
                IDENT("%s_%s_next", scope, name);
                IDENT("%s_%s_clear", scope, name);
                IDENT("%s_%s_set", scope, name);
                IDENT("%s_%s_delete", scope, name);
                return;
        }
        IDENT("%s_%s", scope, name);
        if (upb_FieldDef_IsRepeated(f)) {
                IDENT("%s_mutable_%s", scope, name);
                IDENT("%s_resize_%s", scope, name);
                IDENT("%s_add_%s", scope, name);
                return;
        }
        IDENT("%s_set_%s", scope, name);
        if (upb_FieldDef_HasPresence(f))
                IDENT("%s_has_%s", scope, name);
        if (upb_FieldDef_IsSubMessage(f))
                IDENT("%s_mutable_%s", scope, name);
}

void idents_of_field(struct idents *idents, const void *def, const char *name)
{
        const upb_MessageDef *m = upb_FieldDef_ContainingType(def);

        idents_of_accessors(idents, def, names_of(idents->names, upb_MessageDef_FullName(m)), name);
}

void idents_of_extension(struct idents *idents, const void *def, const char *name)
{
        const char *scope = names_extension_scope(idents->names, def);

        idents_of_accessors(idents, def, scope, name);
        idents->list[idents->n++] = spelling_extension_table(idents->arena, scope, name);
}

void idents_of_oneof(struct idents *idents, const void *def, const char *name)
{
        const upb_OneofDef *o = def;
        const char *scope =
                names_of(idents->names, upb_MessageDef_FullName(upb_OneofDef_ContainingType(o)));

        IDENT("%s_%s_case", scope, name);
        IDENT("%s_%s_oneofcases", scope, name);
        IDENT("%s_%s_NOT_SET", scope, name);
        IDENT("%s_clear_%s", scope, name);
        for (int i = 0; i < upb_OneofDef_FieldCount(o); i++)
                idents->list[idents->n++] = spelling_oneof_constant(
                        idents->arena, scope, name, o, upb_OneofDef_Field(o, i));
}

void idents_of_service(struct idents *idents, const void *def, const char *name)
{
        (void)def;
        IDENT("%s_service", name);
        IDENT("%s_register", name);
}

void idents_of_method(struct idents *idents, const void *def, const char *name)
{
        const upb_MethodDef *method = def;

        if (upb_MethodDef_ServerStreaming(method))
                IDENT("%s_send", name);
        else
                IDENT("%s_reply", name);
        if (upb_MethodDef_ClientStreaming(method))
                IDENT("%s_handler", name);
}
