/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Tracing: where a call belongs in a request that crosses many services. A trace has an id, and each call in it, a span, has one too.
 * They travel as metadata: `traceparent` and `tracestate` (W3C's Trace Context), `grpc-trace-bin` (OpenCensus').
 *
 * Without anything here, outcalls that have a `parent` (quoit_call_options) pass on what its request has, and the access log names the
 * trace. A quoit_tracing makes a span for each call of a server, and for each outcall of a channel, and sends those that are sampled to
 * a collector: OpenTelemetry's protocol (OTLP 1) over gRPC.
 *
 *      quoit_tracing_options options = { .service_name = "shop", .on_log = ..., .log_user = ... };
 *      quoit_tracing *tracing = NULL;
 *
 *      quoit_tracing_read_environment(&options);               (OTEL_EXPORTER_OTLP_ENDPOINT and its like)
 *      if (options.endpoint && quoit_tracing_new(&options, &tracing, &error) == 0)
 *              quoit_tracing_attach(tracing, server);
 *      ...
 *      quoit_server_free(server);
 *      quoit_tracing_free(tracing);                            (sends what is left)
 *
 * A span has the method's full name, its kind, when it began and ended, and the status; as attributes rpc.system, rpc.service,
 * rpc.method, rpc.grpc.status_code (of Connect's calls rpc.connect_rpc.error_code), network.peer.address and network.peer.port
 * (OpenTelemetry's conventions for RPC 1.27). A server's span has the status ERROR where the server is at fault (UNKNOWN,
 * DEADLINE_EXCEEDED, UNIMPLEMENTED, INTERNAL, UNAVAILABLE, DATA_LOSS), a client's for all but OK.
 *
 * No ring waits for the collector: spans are put into a queue of fixed size, under a lock that is held for the time of a copy, and a
 * thread sends them. What does not fit is dropped and counted.
 */

#include <stdbool.h>
#include <stdint.h>

#include <quoit/call.h>
#include <quoit/client.h>
#include <quoit/export.h>
#include <quoit/log.h>
#include <quoit/service.h>

QUOIT_BEGIN_DECLS

/* A place in a trace. */
typedef struct quoit_trace {
        uint8_t trace_id[16]; /* not all zeros */
        uint8_t span_id[8]; /* likewise */
        uint8_t flags; /* QUOIT_TRACE_... */
} quoit_trace;

#define QUOIT_TRACE_SAMPLED 0x01 /* the trace is recorded */
#define QUOIT_TRACE_RANDOM 0x02 /* its id is random in its last 7 bytes */

/*
 * Where @call is: its own span's ids where its server traces calls; else what its request says, whose span is the caller's. False, and
 * *@ret_trace is untouched: it belongs to no trace. For the program's own log lines, for example.
 */
QUOIT_API bool quoit_call_trace(const quoit_call *call, quoit_trace *ret_trace);

/* ---- spans ------------------------------------------------------------------------------------ */

/* What makes spans and sends them, opaque. */
typedef struct quoit_tracing quoit_tracing;

/* Zero (or NULL) in a member takes the default. Strings are copied. */
typedef struct quoit_tracing_options {
        /* The collector: "http://HOST:PORT", "https://HOST:PORT" by TLS, or a channel's target (client.h). It must be given. */
        const char *endpoint;
        /* Metadata of each export, such as a token: "NAME=VALUE,NAME=VALUE", where %XX is a byte. Default: none. */
        const char *headers;
        const char *
                ca_file; /* PEM: who signs the collector's certificate. Default: whom the system trusts. */
        const char *certificate_file; /* PEM: a certificate to show it. Default: none. */
        const char *key_file; /* its private key; with @certificate_file */
        bool insecure; /* an endpoint without a scheme is in the clear. Default: it is by TLS. */
        bool compresses; /* exports are sent with gzip */
        /* The resource's service.name, UTF-8. Default: "unknown_service". */
        const char *service_name;
        /* More attributes of the resource: "KEY=VALUE,KEY=VALUE", where %XX is a byte; UTF-8. Default: none. */
        const char *resource_attributes;
        /*
         * Which traces are recorded: "always_on", "always_off", "traceidratio"; with "parentbased_" before it, only where a call
         * brings no trace with it, which else decides. Default: "parentbased_always_on".
         */
        const char *sampler;
        const char *sampler_argument; /* of "traceidratio": from "0" to "1". Default: "1". */
        uint32_t
                export_ms; /* for one export, with its retries; then its spans are lost. Default 10 000. */
        uint32_t batch_ms; /* spans wait for more of them at most for so long. Default 5000. */
        uint32_t batch_spans_max; /* as many are sent at once, without a wait. Default 512. */
        uint32_t
                queue_spans_max; /* that wait; above: spans are dropped. Each takes some 300 bytes. Default 2048. */
        quoit_log_fn
                on_log; /* spans that were lost, and a collector that cannot be reached; until it is freed. Default: nothing. */
        void *log_user; /* handed to @on_log */
} quoit_tracing_options;

/*
 * Sets those members of @options that are 0 or NULL as OpenTelemetry's variables say, if they are set: OTEL_EXPORTER_OTLP_ENDPOINT,
 * _HEADERS, _CERTIFICATE, _CLIENT_CERTIFICATE, _CLIENT_KEY, _INSECURE, _COMPRESSION and _TIMEOUT, each also as
 * OTEL_EXPORTER_OTLP_TRACES_..., which goes before; OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES, OTEL_TRACES_SAMPLER,
 * OTEL_TRACES_SAMPLER_ARG, OTEL_BSP_SCHEDULE_DELAY, OTEL_BSP_MAX_EXPORT_BATCH_SIZE and OTEL_BSP_MAX_QUEUE_SIZE. @endpoint becomes NULL
 * with OTEL_SDK_DISABLED=true or OTEL_TRACES_EXPORTER=none. What is no value is told to @on_log and ignored. The strings are the
 * environment's.
 */
QUOIT_API void quoit_tracing_read_environment(quoit_tracing_options *options);

/*
 * Starts its threads, in *@ret_tracing; it connects with the first spans. 0; -EINVAL: bad options, or -ENOMEM, -EAGAIN, or the errno of
 * a file, and *@ret_error (NULL: not wanted), INVALID_ARGUMENT, has one line that says what is wrong. Any thread.
 */
QUOIT_API int quoit_tracing_new(
        const quoit_tracing_options *options, quoit_tracing **ret_tracing, quoit_error *ret_error);

/*
 * Sends what is left, for at most 2 s, and frees it; after the servers and channels that it is attached to. Any thread but a ring's.
 * Takes NULL, returns NULL.
 */
QUOIT_API quoit_tracing *quoit_tracing_free(quoit_tracing *tracing);

/*
 * A span for each call of @server that starts, not for those that its limits refuse, nor for plain HTTP (http.h): an interceptor. Attach
 * it behind the access log and before others. 0, or an error of quoit_server_intercept().
 */
QUOIT_API int quoit_tracing_attach(quoit_tracing *tracing, quoit_server *server);

/*
 * A span for each outcall of @channel, below that of its parent, or of the traceparent among its metadata: an interceptor. Not for
 * the channel to the collector itself. 0, or an error of quoit_channel_intercept().
 */
QUOIT_API int quoit_tracing_attach_channel(quoit_tracing *tracing, quoit_channel *channel);

/*
 * Sends what has ended so far, without a wait for more. 0: it was sent, or is lost; -ETIMEDOUT: not within @timeout_ms. Any thread but a
 * ring's.
 */
QUOIT_API int quoit_tracing_flush(quoit_tracing *tracing, unsigned timeout_ms);

/* What became of spans, since it was made. */
typedef struct quoit_tracing_statistics {
        uint64_t exported; /* the collector has them */
        uint64_t rejected; /* it did not want them */
        uint64_t failed; /* they could not be sent */
        uint64_t dropped; /* there was no room in the queue */
} quoit_tracing_statistics;

/* Any thread. */
QUOIT_API void quoit_tracing_get_statistics(
        const quoit_tracing *tracing, quoit_tracing_statistics *ret_statistics);

QUOIT_END_DECLS
