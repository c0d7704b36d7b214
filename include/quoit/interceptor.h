/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Interceptors see every call of a server: at its start, where they may refuse it; each message; its end.
 * Authentication, logging, limits and metrics are made of them.
 *
 *      static void check(quoit_call *call, void *user)
 *      {
 *              upb_StringView token;
 *
 *              if (!quoit_call_metadata(call, "authorization", &token))
 *                      quoit_call_finish(call, QUOIT_UNAUTHENTICATED, "no token");
 *      }
 *      static const quoit_interceptor authentication = { .on_start = check };
 *      ...
 *      quoit_server_intercept(server, &authentication, NULL);
 *
 * Order: starts and messages in the order of registration, ends in the reverse. The server's own limits come first.
 * A server without interceptors pays nothing for them.
 */

#include <stdbool.h>
#include <stdint.h>

#include <quoit/call.h>
#include <quoit/export.h>
#include <quoit/message_info.h>
#include <quoit/protocol.h>
#include <quoit/service.h>

QUOIT_BEGIN_DECLS

struct quoit_metadata;

/* A summary of a call that is over. It and what it points to live until on_end returns. */
typedef struct quoit_call_summary {
        quoit_status status; /* what was sent to the client; CANCELLED if the client had gone */
        unsigned
                http_status; /* of the answer; gRPC's is 200. Refused requests that are no call have UNKNOWN as @status */
        bool start_seen; /* on_start of this interceptor was called */
        bool handled; /* a handler was called */
        uint64_t started_ns; /* when the request's headers had arrived, on CLOCK_MONOTONIC */
        uint64_t
                duration_ns; /* from then to the end: all is sent or dropped, and the handler is through */
        uint64_t
                wait_ns; /* the part of it before the handler was called: interceptors, the request's bytes, workers */
        uint32_t messages_received; /* whole messages that arrived */
        uint32_t messages_sent; /* messages that the handler has sent */
        /* Their bytes on the wire, after compression, without the prefix of five bytes. */
        uint64_t bytes_received;
        uint64_t bytes_sent; /* likewise */
        quoit_protocol protocol; /* of the call; HTTP: it is none of a method */
} quoit_call_summary;

/*
 * The functions of an interceptor, any of which may be NULL. Static: it must outlive the server. @user is what
 * quoit_server_intercept() was given. Several rings call at the same time.
 */
typedef struct quoit_interceptor {
        /*
         * The request's headers have arrived. Runs on the ring, for offloaded methods too: so a refusal is cheap, and nothing
         * may block. May read and add metadata, attach state (quoit_call_attach()), and
         *  - return: the next interceptor starts, and after the last the handler;
         *  - quoit_call_finish(): refuses the call; neither later interceptors nor the handler see it start;
         *  - quoit_call_hold(): the start waits, while others run; the call may be posted to from any thread
         *    (quoit_call_post(), whose function then runs on the ring), until quoit_call_proceed() or
         *    quoit_call_finish() ends the hold. One of the two must be called, also after a cancellation.
         * Calls of unknown methods start too; after the last interceptor they are answered UNIMPLEMENTED, or by the generic
         * handler. Malformed requests do not start.
         */
        void (*on_start)(quoit_call *call, void *user);
        /*
         * A request message, before the handler gets it and where the handler runs: on a worker for offloaded methods. If the
         * call is finished here, its handler does not get the message, and only its on_done still runs.
         */
        void (*on_received)(quoit_call *call, const quoit_message_info *info, void *user);
        /* An answer that the handler sends, before it is encoded. Runs where the handler runs. Must not send itself. */
        void (*on_sent)(quoit_call *call, const quoit_message_info *info, void *user);
        /*
         * The call is over; @summary describes it. Runs once for each request whose headers have arrived, also if it was
         * malformed or refused before any on_start; but not for a call that the server gave up at its end (call.h). Runs on the
         * ring, and last: free what was attached here. Only functions that read may be called on @call. On other calls of the
         * same ring all functions may be called: a limit on running calls ends the hold of the next one here
         * (quoit_call_proceed()).
         */
        void (*on_end)(const quoit_call *call, const quoit_call_summary *summary, void *user);
} quoit_interceptor;

/*
 * Adds @interceptor behind those added before; @user is passed to its functions. Before quoit_server_run().
 * 0; -EBUSY when the server runs; -E2BIG: there are 32 already; -ENOMEM.
 */
QUOIT_API int quoit_server_intercept(
        quoit_server *server, const quoit_interceptor *interceptor, void *user);

/* Ends a hold that on_start has begun: the next interceptor starts. On the ring; does nothing without such a hold. */
QUOIT_API void quoit_call_proceed(quoit_call *call);

/*
 * Attaches @value to the call under @key, for later interceptors and the handler: the authenticated user, for example. @key is
 * an address that nobody else uses, like that of a static variable. Replaces an earlier value. @value is only passed on: in the
 * call's arena (quoit_call_alloc()) it lives as long as the call; free anything else in on_end. 0, or -ENOMEM.
 */
QUOIT_API int quoit_call_attach(quoit_call *call, const void *key, void *value);

/* The value attached to the call under @key, or NULL. */
QUOIT_API void *quoit_call_attachment(const quoit_call *call, const void *key);

/*
 * Outcalls that are made for the call (`parent` of quoit_call_options) get copies of those of these @count fields that trace requests
 * (traceparent, tracestate, grpc-trace-bin), in place of the request's own: for who traces calls, as <quoit/tracing.h> does. Replaces
 * earlier ones. 0; -ENOMEM; -EPERM: on another thread.
 */
QUOIT_API int quoit_call_set_trace(
        quoit_call *call, const struct quoit_metadata *fields, size_t count);

/* The method of the call; NULL if the server does not know it, also if a generic handler has the call. Static. */
QUOIT_API const quoit_method *quoit_call_method(const quoit_call *call);

/* Which ring the call lives on: 0 to quoit_server_options.rings - 1. Counters for each ring need no lock. */
QUOIT_API unsigned quoit_call_ring(const quoit_call *call);

QUOIT_END_DECLS
