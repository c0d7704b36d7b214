/* SPDX-License-Identifier: MIT */
#include "codec/plugin/services.h"

/*
 * A client's half of a service: for each method functions that give client.h its types. What a caller hears of a call goes through thunks,
 * one table a method, all in one array of the service.
 */

/* ---- the header ------------------------------------------------------------------------------- */

/* Of a unary method: callers hear of nothing but the end. */
static void stubs_emit_on_done(struct unit *u)
{
        printer_emit(&u->h,
                "/*\n"
                " * Hears how a call of $full_name$.$method_name$ has ended. @reply is NULL "
                "unless @status\n"
                " * is QUOIT_OK. It lives, as @call does, until this returns.\n"
                " */\n"
                "typedef void $method$_on_done(\n"
                "        quoit_outcall *call, quoit_status status, const $reply$ *reply, void "
                "*user);\n"
                "\n");
}

/* Of a method that streams. */
static void stubs_emit_receiver(struct unit *u, const upb_MethodDef *method)
{
        bool many_replies = upb_MethodDef_ServerStreaming(method);

        printer_emit(&u->h,
                "/*\n"
                " * Hears of a call of $full_name$.$method_name$, on a thread of its "
                "client: see\n"
                " * quoit_outcall_handler. Each can be NULL. on_done runs last, exactly "
                "once.\n");
        printer_emit(&u->h,
                many_replies
                        ? " * A @message lives until on_message returns.\n"
                        : " * A @reply is NULL unless @status is QUOIT_OK, and lives until on_done "
                          "returns.\n");
        printer_emit(&u->h, " */\n"
                            "typedef struct $method$_receiver {\n"
                            "        void (*on_headers)(quoit_outcall *call, void *user);\n");
        if (many_replies)
                printer_emit(&u->h, "        void (*on_message)(quoit_outcall *call, const $reply$ "
                                    "*message, void *user);\n");
        if (upb_MethodDef_ClientStreaming(method))
                printer_emit(
                        &u->h, "        void (*on_writable)(quoit_outcall *call, void *user);\n");
        printer_emit(&u->h, many_replies
                                    ? "        void (*on_done)(quoit_outcall *call, quoit_status "
                                      "status, void *user);\n"
                                    : "        void (*on_done)(quoit_outcall *call, quoit_status "
                                      "status, const $reply$ *reply,\n"
                                      "                void *user);\n");
        printer_emit(&u->h, "} $method$_receiver;\n"
                            "\n");
}

/* Begins a call. */
static void stubs_emit_start(struct unit *u, const upb_MethodDef *method)
{
        bool one_request = !upb_MethodDef_ClientStreaming(method);
        bool is_unary = one_request && !upb_MethodDef_ServerStreaming(method);

        printer_emit(&u->h, "/*\n"
                            " * Calls $full_name$.$method_name$, on a thread of the client: see "
                            "quoit_outcall_start().\n");
        if (one_request)
                printer_emit(&u->h, " * @request is sent and can be dropped on return. 0, or also "
                                    "an error of\n"
                                    " * quoit_outcall_send(): then there is no call.\n");
        else
                printer_emit(&u->h, " * Requests follow by $method$_send_request(), and "
                                    "quoit_outcall_half_close().\n");
        if (!is_unary)
                printer_emit(&u->h, " * @receiver is static or lives until on_done.\n");
        printer_emit(&u->h, " */\n"
                            "static inline int $method$_start(quoit_channel *channel");
        if (one_request)
                printer_emit(&u->h, ", const $request$ *request");
        printer_emit(&u->h, ",\n"
                            "        const quoit_call_options *options, ");
        printer_emit(&u->h,
                is_unary ? "$method$_on_done *on_done" : "const $method$_receiver *receiver");
        printer_emit(&u->h, ", void *user,\n"
                            "        quoit_outcall **ret_call)\n"
                            "{\n"
                            "        quoit_stub_target target;\n"
                            "\n");
        printer_emit(&u->h, is_unary ? "        target.on_done = (void (*)(void))on_done;\n"
                                     : "        target.receiver = receiver;\n");
        printer_emit(&u->h, "        return quoit_stub_start(channel, "
                            "$table$_service.methods + $index$, ");
        printer_emit(&u->h, one_request ? "(const upb_Message *)request" : "NULL");
        printer_emit(&u->h, ",\n"
                            "                options, $table$_stubs + $index$, target, user, "
                            "ret_call);\n"
                            "}\n"
                            "\n");
}

static void stubs_emit_send_request(struct unit *u)
{
        printer_emit(&u->h,
                "/* Sends one request of the stream; see quoit_outcall_send(). */\n"
                "static inline int $method$_send_request(quoit_outcall *call, const $request$ "
                "*message)\n"
                "{\n"
                "        return quoit_outcall_send(call, (const upb_Message *)message);\n"
                "}\n"
                "\n");
}

static void stubs_emit_method(struct unit *u, const upb_MethodDef *method)
{
        bool many_requests = upb_MethodDef_ClientStreaming(method);

        services_set_method(u, &u->h, method);
        printer_emit(&u->h, "/* ---- calling $full_name$.$method_name$ ---- */\n"
                            "\n");
        if (!u->options->services) /* which has them already */
                comments_emit(u->comments, &u->h, upb_MethodDef_FullName(method), 0);
        if (many_requests || upb_MethodDef_ServerStreaming(method))
                stubs_emit_receiver(u, method);
        else
                stubs_emit_on_done(u);
        stubs_emit_start(u, method);
        if (many_requests)
                stubs_emit_send_request(u);
        blocking_stubs_emit(u, method);
}

void stubs_emit(struct unit *u, const upb_ServiceDef *service)
{
        int n = upb_ServiceDef_MethodCount(service);

        if (n)
                printer_emit(&u->h, "extern const quoit_outcall_handler $table$_stubs[];\n"
                                    "\n");
        for (int i = 0; i < n; i++)
                stubs_emit_method(u, upb_ServiceDef_Method(service, i));
}

/* ---- the source ------------------------------------------------------------------------------- */

static void stubs_emit_unary_thunk(struct unit *u)
{
        printer_emit(&u->c,
                "static void $thunk$_stub_on_done(quoit_outcall *call, quoit_status status, void "
                "*user)\n"
                "{\n"
                "        $method$_on_done *on_done =\n"
                "                ($method$_on_done *)quoit_stub_target_of(call).on_done;\n"
                "\n"
                "        if (on_done)\n"
                "                on_done(call, status, (const $reply$ *)quoit_outcall_reply(call), "
                "user);\n"
                "}\n"
                "\n");
}

/* Of one @event, which has more @parameters than the call and the user, and hands on these @arguments. */
static void stubs_emit_thunk(
        struct unit *u, const char *event, const char *parameters, const char *arguments)
{
        printer_set(&u->c, "event", event);
        printer_emit(&u->c, "static void $thunk$_stub_$event$(quoit_outcall *call, ");
        printer_emit(&u->c, parameters);
        printer_emit(&u->c,
                "void *user)\n"
                "{\n"
                "        const $method$_receiver *receiver =\n"
                "                (const $method$_receiver *)quoit_stub_target_of(call).receiver;\n"
                "\n"
                "        if (receiver->$event$)\n"
                "                receiver->$event$(call, ");
        printer_emit(&u->c, arguments);
        printer_emit(&u->c, "user);\n"
                            "}\n"
                            "\n");
}

static void stubs_emit_method_thunks(struct unit *u, const upb_MethodDef *method)
{
        bool many_requests = upb_MethodDef_ClientStreaming(method);
        bool many_replies = upb_MethodDef_ServerStreaming(method);

        services_set_method(u, &u->c, method);
        if (!many_requests && !many_replies) {
                stubs_emit_unary_thunk(u);
                return;
        }
        stubs_emit_thunk(u, "on_headers", "", "");
        if (many_replies)
                stubs_emit_thunk(u, "on_message", "const upb_Message *message, ",
                        "(const $reply$ *)message, ");
        if (many_requests)
                stubs_emit_thunk(u, "on_writable", "", "");
        stubs_emit_thunk(u, "on_done", "quoit_status status, ",
                many_replies ? "status, " : "status, (const $reply$ *)quoit_outcall_reply(call), ");
}

static void stubs_emit_entry(struct unit *u, const upb_MethodDef *method)
{
        bool many_requests = upb_MethodDef_ClientStreaming(method);
        bool many_replies = upb_MethodDef_ServerStreaming(method);

        services_set_method(u, &u->c, method);
        printer_emit(&u->c, "        {\n");
        if (many_requests || many_replies)
                printer_emit(&u->c, "                .on_headers = $thunk$_stub_on_headers,\n");
        if (many_replies)
                printer_emit(&u->c, "                .on_message = $thunk$_stub_on_message,\n");
        if (many_requests)
                printer_emit(&u->c, "                .on_writable = $thunk$_stub_on_writable,\n");
        printer_emit(&u->c, "                .on_done = $thunk$_stub_on_done,\n"
                            "        },\n");
}

void stubs_emit_thunks(struct unit *u, const upb_ServiceDef *service)
{
        int n = upb_ServiceDef_MethodCount(service);

        if (!n)
                return;
        for (int i = 0; i < n; i++)
                stubs_emit_method_thunks(u, upb_ServiceDef_Method(service, i));
        printer_emit(&u->c, "QUOIT_TABLE const quoit_outcall_handler $table$_stubs[] = {\n");
        for (int i = 0; i < n; i++)
                stubs_emit_entry(u, upb_ServiceDef_Method(service, i));
        printer_emit(&u->c, "};\n\n");
}
