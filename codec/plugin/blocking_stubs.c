/* SPDX-License-Identifier: MIT */
#include "codec/plugin/services.h"

/*
 * The functions of a client that wait, for one method. A thread calls them, and none of them needs a callback.
 */

static void blocking_stubs_emit_unary(struct unit *u)
{
        printer_emit(&u->h,
                "/* Calls $full_name$.$method_name$ and waits for the reply, in @arena; see "
                "quoit_unary_blocking(). */\n"
                "static inline quoit_status $method$_blocking(quoit_channel *channel, upb_Arena "
                "*arena,\n"
                "        const $request$ *request, const quoit_call_options *options, const "
                "$reply$ **ret_reply,\n"
                "        quoit_error *ret_error)\n"
                "{\n"
                "        const upb_Message *reply;\n"
                "        quoit_status status = quoit_unary_blocking(channel, "
                "$table$_service.methods + $index$,\n"
                "                arena, (const upb_Message *)request, options, &reply, "
                "ret_error);\n"
                "\n"
                "        if (status == QUOIT_OK)\n"
                "                *ret_reply = (const $reply$ *)reply;\n"
                "        return status;\n"
                "}\n"
                "\n");
}

static void blocking_stubs_emit_open(struct unit *u, const upb_MethodDef *method)
{
        bool one_request = !upb_MethodDef_ClientStreaming(method);

        printer_emit(&u->h, "/* Begins a call of $full_name$.$method_name$, for a thread that "
                            "waits; see quoit_stream_open(). */\n"
                            "static inline quoit_stream *$method$_open(\n"
                            "        quoit_channel *channel, ");
        if (one_request)
                printer_emit(&u->h, "const $request$ *request, ");
        printer_emit(&u->h, "const quoit_call_options *options)\n"
                            "{\n"
                            "        return quoit_stream_open(\n"
                            "                channel, $table$_service.methods + $index$, ");
        printer_emit(&u->h, one_request ? "(const upb_Message *)request" : "NULL");
        printer_emit(&u->h, ", options);\n"
                            "}\n"
                            "\n");
}

static void blocking_stubs_emit_write(struct unit *u)
{
        printer_emit(&u->h,
                "/* Sends one request; see quoit_stream_write(). */\n"
                "static inline bool $method$_write(quoit_stream *stream, const $request$ "
                "*message)\n"
                "{\n"
                "        return quoit_stream_write(stream, (const upb_Message *)message);\n"
                "}\n"
                "\n");
}

static void blocking_stubs_emit_read(struct unit *u)
{
        printer_emit(&u->h,
                "/* Waits for the next reply; see quoit_stream_read(). */\n"
                "static inline bool $method$_read(\n"
                "        quoit_stream *stream, upb_Arena *arena, const $reply$ **ret_message)\n"
                "{\n"
                "        const upb_Message *message;\n"
                "\n"
                "        if (!quoit_stream_read(stream, arena, &message))\n"
                "                return false;\n"
                "        *ret_message = (const $reply$ *)message;\n"
                "        return true;\n"
                "}\n"
                "\n");
}

/* Where the client streams alone: its one reply comes at the end. */
static void blocking_stubs_emit_finish(struct unit *u)
{
        printer_emit(&u->h,
                "/* Half-closes and waits for the reply, in @arena; see quoit_stream_finish(). "
                "*/\n"
                "static inline quoit_status $method$_finish(quoit_stream *stream, upb_Arena "
                "*arena,\n"
                "        const $reply$ **ret_reply, quoit_error *ret_error)\n"
                "{\n"
                "        const upb_Message *reply;\n"
                "\n"
                "        quoit_stream_half_close(stream);\n"
                "        if (quoit_stream_read(stream, arena, &reply))\n"
                "                *ret_reply = (const $reply$ *)reply;\n"
                "        return quoit_stream_finish(stream, ret_error);\n"
                "}\n"
                "\n");
}

void blocking_stubs_emit(struct unit *u, const upb_MethodDef *method)
{
        bool many_requests = upb_MethodDef_ClientStreaming(method);
        bool many_replies = upb_MethodDef_ServerStreaming(method);

        if (!many_requests && !many_replies) {
                blocking_stubs_emit_unary(u);
                return;
        }
        blocking_stubs_emit_open(u, method);
        if (many_requests)
                blocking_stubs_emit_write(u);
        if (many_replies)
                blocking_stubs_emit_read(u);
        else
                blocking_stubs_emit_finish(u);
}
