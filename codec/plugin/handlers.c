/* SPDX-License-Identifier: MIT */
#include "codec/plugin/services.h"

/*
 * A server's half of a service is a struct of the user's handlers, one member a method, and a function that registers it. libquoit
 * calls the handlers through thunks that give them their types.
 */

/* ---- the header ------------------------------------------------------------------------------- */

/* The callbacks of a method whose client streams. */
static void handlers_emit_callbacks(struct unit *u)
{
        printer_emit(&u->h,
                "/*\n"
                " * Handles $full_name$.$method_name$. on_start returns the @state of the others, "
                "which is\n"
                " * @user where there is no on_start. A @message lives until on_message returns.\n"
                " * on_done runs last, exactly once.\n"
                " */\n"
                "typedef struct $method$_handler {\n"
                "        void *(*on_start)(quoit_call *call, void *user);\n"
                "        void (*on_message)(quoit_call *call, const $request$ *message, void "
                "*state);\n"
                "        void (*on_half_close)(quoit_call *call, void *state);\n"
                "        void (*on_writable)(quoit_call *call, void *state);\n"
                "        void (*on_done)(quoit_call *call, void *state);\n"
                "} $method$_handler;\n"
                "\n");
}

static void handlers_emit_member(struct unit *u, const upb_MethodDef *method)
{
        services_set_method(u, &u->h, method);
        comments_emit(u->comments, &u->h, upb_MethodDef_FullName(method), 8);
        if (upb_MethodDef_ClientStreaming(method))
                printer_emit(&u->h, "        $method$_handler $member$;\n");
        else
                printer_emit(&u->h, "        void (*$member$)(quoit_call *call, const $request$ "
                                    "*req, void *user);\n");
}

/* The functions that a handler answers with. */
static void handlers_emit_sender(struct unit *u, const upb_MethodDef *method)
{
        services_set_method(u, &u->h, method);
        if (upb_MethodDef_ServerStreaming(method))
                printer_emit(&u->h,
                        "/* Sends one message of the answer; see quoit_call_send(). */\n"
                        "static inline int $method$_send(quoit_call *call, const "
                        "$reply$ *message)\n"
                        "{\n"
                        "        return quoit_call_send(\n"
                        "                call, (const upb_Message *)message, "
                        "&$reply_table$);\n"
                        "}\n"
                        "\n");
        else
                printer_emit(&u->h,
                        "/* Sends the answer and finishes with QUOIT_OK; see quoit_call_reply(). "
                        "*/\n"
                        "static inline void $method$_reply(quoit_call *call, const $reply$ "
                        "*reply)\n"
                        "{\n"
                        "        quoit_call_reply(call, (const upb_Message *)reply, "
                        "&$reply_table$);\n"
                        "}\n"
                        "\n");
}

void handlers_emit_struct(struct unit *u, const upb_ServiceDef *service)
{
        int n = upb_ServiceDef_MethodCount(service);

        for (int i = 0; i < n; i++) {
                services_set_method(u, &u->h, upb_ServiceDef_Method(service, i));
                if (upb_MethodDef_ClientStreaming(upb_ServiceDef_Method(service, i)))
                        handlers_emit_callbacks(u);
        }
        comments_emit(u->comments, &u->h, upb_ServiceDef_FullName(service), 0);
        printer_emit(&u->h, "typedef struct $service$_service {\n");
        for (int i = 0; i < n; i++)
                handlers_emit_member(u, upb_ServiceDef_Method(service, i));
        if (!n)
                printer_emit(&u->h, "        const void *no_methods;\n");
        printer_emit(&u->h, "} $service$_service;\n"
                            "\n");
}

void handlers_emit_functions(struct unit *u, const upb_ServiceDef *service)
{
        printer_emit(&u->h,
                "/*\n"
                " * Has @server answer $full_name$ with @implementation; see "
                "quoit_server_register().\n"
                " * A @req lives as long as its call.\n"
                " */\n"
                "static inline int $service$_register(\n"
                "        quoit_server *server, const $service$_service *implementation, "
                "void *user)\n"
                "{\n"
                "        return quoit_server_register(server, &$table$_service, implementation, "
                "user);\n"
                "}\n"
                "\n");
        for (int i = 0; i < upb_ServiceDef_MethodCount(service); i++)
                handlers_emit_sender(u, upb_ServiceDef_Method(service, i));
}

/* ---- the source ------------------------------------------------------------------------------- */

static void handlers_emit_unary_thunks(struct unit *u)
{
        printer_emit(&u->c,
                "static bool $thunk$_is_implemented(const void *implementation)\n"
                "{\n"
                "        return ((const $service$_service *)implementation)->$member$;\n"
                "}\n"
                "\n"
                "static void $thunk$_on_request(\n"
                "        const void *implementation, quoit_call *call, const "
                "upb_Message *request, void *user)\n"
                "{\n"
                "        ((const $service$_service *)implementation)\n"
                "                ->$member$(call, (const $request$ *)request, user);\n"
                "}\n"
                "\n");
}

static void handlers_emit_event_thunk(struct unit *u, const char *event)
{
        printer_set(&u->c, "event", event);
        printer_emit(&u->c,
                "static void $thunk$_$event$(const void *implementation, quoit_call *call, void "
                "*state)\n"
                "{\n"
                "        const $method$_handler *handler =\n"
                "                &((const $service$_service *)implementation)->$member$;\n"
                "\n"
                "        if (handler->$event$)\n"
                "                handler->$event$(call, state);\n"
                "}\n"
                "\n");
}

static void handlers_emit_stream_thunks(struct unit *u)
{
        printer_emit(&u->c,
                "static bool $thunk$_is_implemented(const void *implementation)\n"
                "{\n"
                "        const $method$_handler *handler =\n"
                "                &((const $service$_service *)implementation)->$member$;\n"
                "\n"
                "        return handler->on_start || handler->on_message || handler->on_half_close "
                "||\n"
                "                handler->on_writable || handler->on_done;\n"
                "}\n"
                "\n"
                "static void *$thunk$_on_start(const void *implementation, quoit_call *call, void "
                "*user)\n"
                "{\n"
                "        const $method$_handler *handler =\n"
                "                &((const $service$_service *)implementation)->$member$;\n"
                "\n"
                "        return handler->on_start ? handler->on_start(call, user) : user;\n"
                "}\n"
                "\n"
                "static void $thunk$_on_message(\n"
                "        const void *implementation, quoit_call *call, const upb_Message *message, "
                "void *state)\n"
                "{\n"
                "        const $method$_handler *handler =\n"
                "                &((const $service$_service *)implementation)->$member$;\n"
                "\n"
                "        if (handler->on_message)\n"
                "                handler->on_message(call, (const $request$ *)message, state);\n"
                "}\n"
                "\n");
        handlers_emit_event_thunk(u, "on_half_close");
        handlers_emit_event_thunk(u, "on_writable");
        handlers_emit_event_thunk(u, "on_done");
}

void handlers_emit_thunks(struct unit *u, const upb_ServiceDef *service)
{
        for (int i = 0; i < upb_ServiceDef_MethodCount(service); i++) {
                const upb_MethodDef *method = upb_ServiceDef_Method(service, i);

                services_set_method(u, &u->c, method);
                if (upb_MethodDef_ClientStreaming(method))
                        handlers_emit_stream_thunks(u);
                else
                        handlers_emit_unary_thunks(u);
        }
}

void handlers_emit_entry(struct unit *u, const upb_MethodDef *method)
{
        printer_emit(&u->c, "                .is_implemented = $thunk$_is_implemented,\n");
        if (upb_MethodDef_ClientStreaming(method))
                printer_emit(&u->c, "                .on_start = $thunk$_on_start,\n"
                                    "                .on_message = $thunk$_on_message,\n"
                                    "                .on_half_close = $thunk$_on_half_close,\n"
                                    "                .on_writable = $thunk$_on_writable,\n"
                                    "                .on_done = $thunk$_on_done,\n");
        else
                printer_emit(&u->c, "                .on_request = $thunk$_on_request,\n");
}
