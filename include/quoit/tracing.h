/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Tracing: where a call belongs in a request that crosses many services. A trace has an id, and each call in it, a span, has one too.
 * They travel as metadata: `traceparent` and `tracestate` (W3C's Trace Context), `grpc-trace-bin` (OpenCensus').
 *
 * Without anything here, outcalls that have a `parent` (quoit_call_options) pass on what its request has, and the access log names the
 * trace.
 */

#include <stdbool.h>
#include <stdint.h>

#include <quoit/call.h>
#include <quoit/export.h>

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

QUOIT_END_DECLS
