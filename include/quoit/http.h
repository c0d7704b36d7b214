/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Plain HTTP on a server's listeners, beside gRPC: pages and files for browsers, answers for probes. A handler has one path and
 * answers GET and HEAD requests for it.
 *
 *      static void hello(quoit_call *call, void *user)
 *      {
 *              static const char text[] = "hello\n";
 *
 *              quoit_http_reply(call, &(quoit_http_answer){ .body = text, .size = strlen(text), .is_static = true });
 *      }
 *      ...
 *      quoit_server_handle_http(server, "/hello", hello, NULL);
 *
 * A request is a quoit_call, so what <quoit/call.h> has works here too: quoit_call_metadata() has the request's fields ("accept",
 * "if-none-match"), quoit_call_path() the path, quoit_call_peer() the peer; quoit_call_add_header() adds fields to the answer;
 * quoit_call_hold() and quoit_call_post() answer later; quoit_call_finish() with a status other than OK answers with the HTTP status
 * that google.rpc.Code has for it, and with its message as text. Messages and trailers cannot be sent, and there is no body of a
 * request: one that a client sends is skipped if it is small, and refused with 413 if it is not.
 *
 * Handlers run on the ring, never on a worker: they must not block. Interceptors see requests as they see calls, with the path and
 * without a method (quoit_call_method() is NULL), and what they finish is answered as above; quoit_http_method() tells one from the other.
 * Limits of calls and connections hold for them too.
 *
 * Paths are compared byte by byte, as they were sent: nothing is decoded, and "." and ".." mean nothing. With any handler, a path
 * that nobody has is answered 404; without, every request that is not gRPC is 405 or 415.
 *
 * An admin listener has handlers alone, and handlers of its own: what operators ask stays away from the port that clients know.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <quoit/call.h>
#include <quoit/export.h>
#include <quoit/service.h>
#include <quoit/tls.h>

QUOIT_BEGIN_DECLS

/* Answers a request, or holds it. @user is what quoit_server_handle_http() was given. Several rings call at the same time. */
typedef void (*quoit_http_handler)(quoit_call *call, void *user);

/*
 * Gives @handler the requests for @path: "/path", or "/prefix/" and a star for all that begin with "/prefix/". An exact path goes
 * before a prefix, a longer prefix before a shorter one. @path is copied. Before quoit_server_run().
 * 0; -EEXIST: that path has a handler; -EINVAL: it does not begin with '/', or has a '?', a '#', or a star elsewhere; -EBUSY when the
 * server runs; -ENOMEM.
 */
QUOIT_API int quoit_server_handle_http(
        quoit_server *server, const char *path, quoit_http_handler handler, void *user);

/* Which listeners a handler is for. */
typedef enum quoit_http_listeners {
        QUOIT_HTTP_ORDINARY = 1, /* those that serve gRPC too */
        QUOIT_HTTP_ADMIN = 2, /* those of quoit_server_listen_admin() */
        QUOIT_HTTP_ALL = 3, /* both */
} quoit_http_listeners;

/*
 * As quoit_server_handle_http(), which is for ordinary listeners, for @listeners. -EEXIST: one of them has a handler for @path;
 * -EINVAL also for other @listeners.
 */
QUOIT_API int quoit_server_handle_http_on(quoit_server *server, quoit_http_listeners listeners,
        const char *path, quoit_http_handler handler, void *user);

/*
 * As quoit_server_listen(), or with @tls as quoit_server_listen_tls(): an admin listener. Its connections get the handlers that are for
 * it, and no gRPC: calls are answered 404, which gRPC's clients report as UNIMPLEMENTED. Limits of connections hold for it too. NULL
 * in @tls: plaintext.
 */
QUOIT_API int quoit_server_listen_admin(
        quoit_server *server, const char *address, quoit_tls *tls, uint16_t *ret_port);

/* What a handler answers. Zero (or NULL) in a member takes the default. */
typedef struct quoit_http_answer {
        unsigned status; /* 200 to 599. Default: 200 */
        const char *content_type; /* Default: "text/plain; charset=utf-8" */
        const void *body; /* @size bytes; not for 204 and 304, which have none. NULL: it is empty */
        size_t size; /* of @body */
        /* @body outlives the server, and is sent from where it is; otherwise it is copied. @content_type is always copied. */
        bool is_static;
} quoit_http_answer;

/*
 * Answers @call, which is over with that: a hold ends too. For HEAD the same call sends the fields alone. On the call's ring.
 * 0, also if the peer has gone; -EINVAL: it is no plain HTTP request, the status is not one, or the type is no field's value; -EALREADY:
 * it has its answer. After -ENOMEM it was answered 503.
 */
QUOIT_API int quoit_http_reply(quoit_call *call, const quoit_http_answer *answer);

/*
 * Whether the client takes a body with the `content-encoding` @algorithm (RFC 9110, section 12.5.3), and wants it no less than a plain
 * one; QUOIT_IDENTITY: a plain one. A body without that field, for a client that takes none, becomes a 406 by itself. On the call's ring.
 */
QUOIT_API bool quoit_http_takes(const quoit_call *call, quoit_compression algorithm);

/* "GET" or "HEAD"; NULL: @call is not a plain HTTP request. Static. */
QUOIT_API const char *quoit_http_method(const quoit_call *call);

/* What follows the '?' of the request's target, as it was sent; "" if there is none. Lives as long as the call. */
QUOIT_API const char *quoit_http_query(const quoit_call *call);

QUOIT_END_DECLS
