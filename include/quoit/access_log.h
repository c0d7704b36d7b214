/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * An access log: one line for each call, when it is over.
 *
 *      quoit_log_writer *file = NULL;
 *      quoit_access_log *log = NULL;
 *      r = quoit_log_writer_new(&(quoit_log_writer_options){ .path = "access.log" }, &file);
 *      r = quoit_access_log_new(QUOIT_ACCESS_LOG_JSON, quoit_log_writer_line, file, &log);
 *      r = quoit_access_log_attach(log, server);
 *
 * As text, key=value:
 *
 *      time=2026-11-23T12:00:00.123Z peer="ipv4:192.0.2.1:50000" method="/api.Api/sayHello" status=OK duration_us=412
 *      wait_us=8 messages_received=1 bytes_received=7 messages_sent=1 bytes_sent=14 timeout_ms=5000
 *      user_agent="grpc-python/1.80.0"
 *
 * in one line; as JSON, an object with the same names. `time` is when the request's headers had arrived, in UTC. Some are not
 * in every line: `timeout_ms`, the time that the call had then, if it had a deadline; `http_status` if the answer was not
 * gRPC; `trace`, the id of the call's trace, if it has one (<quoit/tracing.h>); `user_agent` if the client sent one; with TLS `tls` ("TLSv1.3"), and `tls_subject` if the client has shown a
 * certificate. `wait_us` is the time before the handler was called: for interceptors, the rest of the request, a worker.
 * `bytes_...` are the bytes of messages on the wire, without their prefixes.
 *
 * Text from a peer is quoted, escaped, and cut to 256 characters: a line stays one line, whatever a client sends. Escapes are
 * JSON's (RFC 8259 section 7), in text too; a byte that is not printable ASCII is escaped by its number.
 */

#include <stddef.h>

#include <quoit/export.h>
#include <quoit/service.h>

QUOIT_BEGIN_DECLS

/* An access log, opaque. */
typedef struct quoit_access_log quoit_access_log;

/* How a line is written. */
typedef enum quoit_access_log_format {
        QUOIT_ACCESS_LOG_TEXT, /* key=value ... */
        QUOIT_ACCESS_LOG_JSON, /* an object a line */
} quoit_access_log_format;

/*
 * Takes a line of @size bytes, its newline included, valid during the call. Runs on the ring, on several rings at once. It must
 * not block, and a write to a disk or a pipe can: quoit_log_writer_line() of <quoit/log_writer.h> never blocks.
 */
typedef void (*quoit_access_log_fn)(void *user, const char *line, size_t size);

/* Makes a log, in *@ret_log, that calls @on_line with @user for each line. 0, -ENOMEM. */
QUOIT_API int quoit_access_log_new(quoit_access_log_format format, quoit_access_log_fn on_line,
        void *user, quoit_access_log **ret_log);

/* Frees it, after its server. Takes NULL, returns NULL. */
QUOIT_API quoit_access_log *quoit_access_log_free(quoit_access_log *log);

/*
 * Logs the calls of @server: it is an interceptor. Attach it before all other interceptors: then its line is written when the
 * others have seen the call's end. 0, or an error of quoit_server_intercept().
 */
QUOIT_API int quoit_access_log_attach(quoit_access_log *log, quoit_server *server);

QUOIT_END_DECLS
