/* SPDX-License-Identifier: MIT */
#include "codec/plugin/services.h"

#include "codec/plugin/types.h"

/*
 * A service is a table of its methods, for both sides. A server's half is on top of it (handlers.c), and a client's (stubs.c). Each can
 * be left out.
 */

static const char *services_message(struct unit *u, const upb_MessageDef *m)
{
        return names_of(u->names, upb_MessageDef_FullName(m));
}

void services_set_method(struct unit *u, struct printer *p, const upb_MethodDef *method)
{
        const upb_MessageDef *request = upb_MethodDef_InputType(method);
        const upb_MessageDef *reply = upb_MethodDef_OutputType(method);

        printer_set(p, "method", names_method_prefix(u->names, method));
        printer_set(p, "member", names_method_member(u->names, method));
        printer_set(p, "method_name", upb_MethodDef_Name(method));
        printer_set(p, "index", memory_format(u->arena, "%d", upb_MethodDef_Index(method)));
        printer_set(p, "request", services_message(u, request));
        printer_set(p, "reply", services_message(u, reply));
        printer_set(p, "request_table", types_message_table(u->names, request, u->arena));
        printer_set(p, "reply_table", types_message_table(u->names, reply, u->arena));
        printer_set(p, "thunk", names_symbol(u->names, u->file, upb_MethodDef_FullName(method)));
}

static void services_set(struct unit *u, struct printer *p, const upb_ServiceDef *service)
{
        const char *full_name = upb_ServiceDef_FullName(service);

        printer_set(p, "service", names_of(u->names, full_name));
        printer_set(p, "full_name", full_name);
        printer_set(p, "table", names_symbol(u->names, u->file, full_name));
}

static void services_emit_header(struct unit *u, const upb_ServiceDef *service)
{
        if (u->options->services)
                handlers_emit_struct(u, service);
        else
                comments_emit(u->comments, &u->h, upb_ServiceDef_FullName(service), 0);
        printer_emit(&u->h, "extern const quoit_service $table$_service;\n"
                            "\n");
        if (u->options->services)
                handlers_emit_functions(u, service);
        if (u->options->stubs)
                stubs_emit(u, service);
}

static bool has_no_side_effects(const upb_MethodDef *method)
{
        const google_protobuf_MethodOptions *options = upb_MethodDef_Options(method);

        return google_protobuf_MethodOptions_idempotency_level(options) ==
               google_protobuf_MethodOptions_NO_SIDE_EFFECTS;
}

static void services_emit_entry(struct unit *u, const upb_MethodDef *method)
{
        static const char *const kinds[] = { "QUOIT_UNARY", "QUOIT_SERVER_STREAMING",
                "QUOIT_CLIENT_STREAMING", "QUOIT_BIDI" };

        services_set_method(u, &u->c, method);
        printer_set(&u->c, "kind",
                kinds[2 * upb_MethodDef_ClientStreaming(method) +
                        upb_MethodDef_ServerStreaming(method)]);
        printer_emit(&u->c, "        {\n"
                            "                .path = \"/$full_name$/$method_name$\",\n"
                            "                .kind = $kind$,\n");
        if (has_no_side_effects(method))
                printer_emit(&u->c, "                .has_no_side_effects = true,\n");
        printer_emit(&u->c, "                .request = &$request_table$,\n"
                            "                .reply = &$reply_table$,\n");
        if (u->options->services)
                handlers_emit_entry(u, method);
        printer_emit(&u->c, "        },\n");
}

static void services_emit_source(struct unit *u, const upb_ServiceDef *service)
{
        int n = upb_ServiceDef_MethodCount(service);

        printer_printf(&u->c, "\n");
        if (u->options->services)
                handlers_emit_thunks(u, service);
        if (u->options->stubs)
                stubs_emit_thunks(u, service);
        if (n)
                printer_emit(&u->c, "static const quoit_method $table$_methods[] = {\n");
        for (int i = 0; i < n; i++)
                services_emit_entry(u, upb_ServiceDef_Method(service, i));
        if (n)
                printer_emit(&u->c, "};\n\n");

        printer_emit(&u->c, "QUOIT_TABLE const quoit_service $table$_service = {\n"
                            "        .name = \"$full_name$\",\n");
        if (n) {
                printer_emit(&u->c, "        .methods = $table$_methods,\n");
                printer_printf(&u->c, "        .method_count = %d,\n", n);
        }
        printer_emit(&u->c, "        .file = &$file$,\n"
                            "};\n");
}

void services_emit(struct unit *u)
{
        for (int i = 0; i < upb_FileDef_ServiceCount(u->file); i++) {
                const upb_ServiceDef *service = upb_FileDef_Service(u->file, i);

                services_set(u, &u->h, service);
                services_set(u, &u->c, service);
                services_emit_header(u, service);
                services_emit_source(u, service);
        }
}
