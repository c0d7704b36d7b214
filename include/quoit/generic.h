/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Calls whose types are not known: bytes in, bytes out. For a proxy, a recorder, or a server whose types are known only at run time.
 *
 * A server's end is a handler for methods that the server does not know:
 *
 *      static void on_message(quoit_call *call, upb_StringView message, void *state)
 *      {
 *              quoit_call_send_bytes(call, message.data, message.size);
 *      }
 *      static void on_half_close(quoit_call *call, void *state)
 *      {
 *              quoit_call_finish(call, QUOIT_OK, NULL);
 *      }
 *      static const quoit_generic_handler echo = { .on_message = on_message, .on_half_close = on_half_close };
 *      ...
 *      quoit_server_register_generic(server, &echo, NULL, NULL);
 *
 * The server does not know which side of such a method streams, and the wire does not show it: so all four kinds of calls are
 * handled as bidirectional streams. A single request is one message and then the half-close; a single answer is one message and
 * then the finish. All functions of a call can be used: quoit_call_path() has the method, quoit_call_metadata() the metadata,
 * and quoit_call_set_read_credits() slows a client down to the speed of the receiver of its messages.
 * quoit_call_add_trailer() takes "grpc-status-details-bin" too, a google.rpc.Status as another server has sent it.
 *
 * A client's end is a call whose handler has on_bytes, of a method of which only the path is known:
 *
 *      static const quoit_outcall_handler handler = { .on_bytes = on_bytes, .on_done = on_done };
 *      quoit_method method = { .path = "/package.Service/Method", .kind = QUOIT_BIDI };
 *      ...
 *      quoit_outcall_start(channel, &method, &options, &handler, user, &call);
 *      quoit_outcall_send_bytes(call, bytes, size);
 *      quoit_outcall_half_close(call);
 *
 * Here too QUOIT_BIDI fits methods of all four kinds. The method must live until on_done has returned and that turn of the ring is
 * over: it is static, or freed by a later callback.
 */

#include <stddef.h>

#include <quoit/call.h>
#include <quoit/client.h>
#include <quoit/export.h>
#include <quoit/method_options.h>
#include <quoit/service.h>

QUOIT_BEGIN_DECLS

/* The functions of a generic handler; any may be NULL. Static, or outlives the server. */
typedef struct quoit_generic_handler {
        /*
         * The call begins; its first message has not arrived yet. Returns the @state for the others; without on_start that is
         * @user.
         */
        void *(*on_start)(quoit_call *call, void *user);
        /* One message of the client's, decompressed if it was compressed. It lives until this returns. */
        void (*on_message)(quoit_call *call, upb_StringView message, void *state);
        /* There will be no more messages. When all answers are sent, call quoit_call_finish(), which every call needs. */
        void (*on_half_close)(quoit_call *call, void *state);
        /* The queue was full and has room again: quoit_call_writable(). */
        void (*on_writable)(quoit_call *call, void *state);
        /* The call is over; last of all, to free @state. */
        void (*on_done)(quoit_call *call, void *state);
} quoit_generic_handler;

/*
 * Gives @handler all calls of methods that have no handler, in registered services too. Their paths are "/SERVICE/METHOD" with
 * any SERVICE and METHOD; any other path is answered UNIMPLEMENTED.
 * @options, copied, apply to all of them (NULL: none); @user is passed to on_start. Once, before quoit_server_run().
 * 0; -EEXIST: the server has one; -EINVAL: no such compression; -EBUSY when it runs; -ENOMEM.
 */
QUOIT_API int quoit_server_register_generic(quoit_server *server,
        const quoit_generic_handler *handler, const quoit_method_options *options, void *user);

/*
 * Sends the @size bytes at @bytes, copied, as one message on a call that a generic handler has. Otherwise it is as
 * quoit_call_send(): the same results, compression, limits, and waiting on a worker. On any other call it returns -EINVAL and
 * does nothing: that call's messages have a type, and interceptors rely on it.
 */
QUOIT_API int quoit_call_send_bytes(quoit_call *call, const void *bytes, size_t size);

/*
 * Like quoit_outcall_send(), but with a message that is encoded already. -EINVAL: the call's handler has no on_bytes; nothing is
 * done.
 */
QUOIT_API int quoit_outcall_send_bytes(quoit_outcall *call, const void *bytes, size_t size);

QUOIT_END_DECLS
