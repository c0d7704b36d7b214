/* SPDX-License-Identifier: MIT */
#pragma once

/* The two forms in which a trace travels: W3C's Trace Context (traceparent) and OpenCensus' binary one (grpc-trace-bin). */

#include <stdbool.h>

#include <quoit/tracing.h>

#define TRACEPARENT_BYTES 55 /* of version 00 */
#define TRACE_BIN_BYTES 29
#define TRACE_ID_TEXT_BYTES 33 /* with its zero */

/* Reads a traceparent of any version. False, and *@ret_trace is untouched: it is none. */
bool trace_parse(upb_StringView traceparent, quoit_trace *ret_trace);

/* The same of a grpc-trace-bin, decoded from base64. */
bool trace_parse_bin(upb_StringView trace_bin, quoit_trace *ret_trace);

/* Of version 00, without a zero. */
void trace_format(const quoit_trace *trace, char ret_text[TRACEPARENT_BYTES]);

void trace_format_bin(const quoit_trace *trace, char ret_bytes[TRACE_BIN_BYTES]);

/* The trace's id as hexadecimal text. */
void trace_format_id(const quoit_trace *trace, char ret_text[TRACE_ID_TEXT_BYTES]);

/* What the request of @call says: its traceparent, else its grpc-trace-bin. False: nothing, or nothing sound. */
bool trace_of_request(const quoit_call *call, quoit_trace *ret_trace);

/* The keys under which the own quoit_trace of a call, or of an outcall, is attached, where these are traced. */
extern const char trace_key, trace_outcall_key;

/* The own trace of @call. NULL: it is not traced, or not sampled. */
const quoit_trace *trace_sampled(const quoit_call *call);
const quoit_trace *trace_sampled_outcall(const quoit_outcall *call);
