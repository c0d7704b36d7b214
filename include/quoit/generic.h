/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A handler for methods that the server does not know: bytes in, bytes out. A proxy is made of it, a recorder, or a server whose
 * types are known at run time only.
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
 * Which side streams is not known of a method that nobody has described, and does not show on the wire: so all four kinds
 * come as calls where both do. One request is one message and then the half-close; one answer is one message and then the finish.
 * All functions of a call are there as anywhere: quoit_call_path() tells the method, quoit_call_metadata() the metadata,
 * quoit_call_set_read_credits() keeps a client from being faster than whom its messages go to.
 */

#include <stddef.h>

#include <quoit/call.h>
#include <quoit/export.h>
#include <quoit/method_options.h>
#include <quoit/service.h>

QUOIT_BEGIN_DECLS

/* The functions of a generic handler; any may be NULL. Static, or outlives the server. */
typedef struct quoit_generic_handler {
        /* The call begins, before its first message has come; returns the @state of the others, which without this is @user. */
        void *(*on_start)(quoit_call *call, void *user);
        /* One message of the client's, decompressed if it was compressed. It lives until this returns. */
        void (*on_message)(quoit_call *call, upb_StringView message, void *state);
        /* There will be no more messages. Who has answered by now calls quoit_call_finish(), which any call needs. */
        void (*on_half_close)(quoit_call *call, void *state);
        /* There was no room in the queue, and there is again: quoit_call_writable(). */
        void (*on_writable)(quoit_call *call, void *state);
        /* The call is over: the last of it, to free @state. */
        void (*on_done)(quoit_call *call, void *state);
} quoit_generic_handler;

/*
 * Gives @handler all calls of methods that no registered service has a handler for, also where the service is registered.
 * Their paths are "/SERVICE/METHOD", whatever these two are; any other path stays unknown, and is answered UNIMPLEMENTED.
 * @options, copied, holds for all of them (NULL: none); @user is handed to on_start. Once, before quoit_server_run().
 * 0; -EEXIST: the server has one; -EINVAL: no such compression; -EBUSY when it runs; -ENOMEM.
 */
QUOIT_API int quoit_server_register_generic(quoit_server *server,
        const quoit_generic_handler *handler, const quoit_method_options *options, void *user);

/*
 * Sends the @size bytes at @bytes, copied, as one message on a call that a generic handler has. As quoit_call_send() otherwise:
 * the same results, compression, limits, and waiting on a worker. -EINVAL, and nothing happens, on any other call: what its
 * messages look like is known, and interceptors count on that.
 */
QUOIT_API int quoit_call_send_bytes(quoit_call *call, const void *bytes, size_t size);

QUOIT_END_DECLS
