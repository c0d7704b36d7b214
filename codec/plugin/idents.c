/* SPDX-License-Identifier: MIT */
#include "codec/plugin/idents.h"

#include "codec/plugin/spelling.h"

#define IDENT(...) (idents->list[idents->n++] = memory_format(idents->arena, __VA_ARGS__))

size_t idents_of_tables_max(const upb_FileDef *file, const struct outline *outline)
{
        size_t n = 8 + 2 * outline->n_messages + 3 * outline->n_enums + 2 * outline->n_extensions;

        for (int i = 0; i < upb_FileDef_ServiceCount(file); i++)
                n += 3 + 10 * (size_t)upb_ServiceDef_MethodCount(upb_FileDef_Service(file, i));
        return n;
}

/* Of both halves. */
static void idents_of_thunks(struct idents *idents, const upb_MethodDef *method)
{
        const char *name = names_symbol(idents->names,
                upb_ServiceDef_File(upb_MethodDef_Service(method)), upb_MethodDef_FullName(method));

        IDENT("%s_is_implemented", name);
        if (upb_MethodDef_ClientStreaming(method)) {
                IDENT("%s_on_start", name);
                IDENT("%s_on_message", name);
                IDENT("%s_on_half_close", name);
                IDENT("%s_on_writable", name);
                IDENT("%s_on_done", name);
        } else {
                IDENT("%s_on_request", name);
        }
        IDENT("%s_stub_on_headers", name);
        IDENT("%s_stub_on_message", name);
        IDENT("%s_stub_on_writable", name);
        IDENT("%s_stub_on_done", name);
}

static void idents_of_service_tables(struct idents *idents, const upb_ServiceDef *service)
{
        const char *name = names_symbol(
                idents->names, upb_ServiceDef_File(service), upb_ServiceDef_FullName(service));

        IDENT("%s_methods", name);
        IDENT("%s_service", name);
        IDENT("%s_stubs", name);
        for (int i = 0; i < upb_ServiceDef_MethodCount(service); i++)
                idents_of_thunks(idents, upb_ServiceDef_Method(service, i));
}

void idents_of_tables(struct idents *idents, const upb_FileDef *file, const struct outline *outline)
{
        const char *name = names_file_symbol(idents->names, file);

        IDENT("%s", name);
        IDENT("%s_quoit_file", names_file(idents->names, file));
        IDENT("%s_layout", name);
        IDENT("%s_messages", name);
        IDENT("%s_enums", name);
        IDENT("%s_extensions", name);
        IDENT("%s_dependencies", name);
        IDENT("%s_bytes", name);
        for (size_t i = 0; i < outline->n_messages; i++) {
                name = names_symbol(
                        idents->names, file, upb_MessageDef_FullName(outline->messages[i]));
                IDENT("%s_msg_init", name);
                IDENT("%s_fields", name);
        }
        for (size_t i = 0; i < outline->n_enums; i++) {
                name = names_symbol(idents->names, file, upb_EnumDef_FullName(outline->enums[i]));
                IDENT("%s_enum_init", name);
                IDENT("%s_names", name);
                IDENT("%s_name_list", name);
        }
        for (size_t i = 0; i < outline->n_extensions; i++) {
                name = names_symbol(
                        idents->names, file, upb_FieldDef_FullName(outline->extensions[i]));
                IDENT("%s_ext", name);
                IDENT("%s_ext_table", name);
        }
        for (int i = 0; i < upb_FileDef_ServiceCount(file); i++)
                idents_of_service_tables(idents, upb_FileDef_Service(file, i));
}

void idents_of_value(struct idents *idents, const void *def, const char *name)
{
        (void)def;
        IDENT("%s", name);
}

void idents_of_enum(struct idents *idents, const void *def, const char *name)
{
        (void)def;
        IDENT("%s", name);
        IDENT("%s_value_name", name);
}

void idents_of_message(struct idents *idents, const void *def, const char *name)
{
        (void)def;
        IDENT("%s", name);
        IDENT("%s_new", name);
        IDENT("%s_parse", name);
        IDENT("%s_parse_ex", name);
        IDENT("%s_parse_checked", name);
        IDENT("%s_deep_copy", name);
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
        IDENT("%s", names_extension_table_for(idents->names, def, name));
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

/* Of both halves, whatever the options leave out: so a name does not depend on them. */
void idents_of_method(struct idents *idents, const void *def, const char *name)
{
        const upb_MethodDef *method = def;
        bool many_requests = upb_MethodDef_ClientStreaming(method);
        bool many_replies = upb_MethodDef_ServerStreaming(method);

        IDENT("%s_%s", name, many_replies ? "send" : "reply");
        IDENT("%s_start", name);
        if (many_requests) {
                IDENT("%s_handler", name);
                IDENT("%s_send_request", name);
                IDENT("%s_write", name);
        }
        if (many_replies)
                IDENT("%s_read", name);
        else if (many_requests)
                IDENT("%s_finish", name);
        if (many_requests || many_replies) {
                IDENT("%s_receiver", name);
                IDENT("%s_open", name);
        } else {
                IDENT("%s_on_done", name);
                IDENT("%s_blocking", name);
        }
}
