/* SPDX-License-Identifier: MIT */
#pragma once

/* What `quoit call` prints, as it comes: messages on stdout and what went wrong on stderr, or with --json all in one document. */

#include <stdint.h>

#include <quoit/status.h>

#include "call_options.h"
#include "connection.h"
#include "source.h"

/* How a call went. Times are of CLOCK_MONOTONIC, 0: it did not happen. */
struct outcome {
        quoit_status status;
        upb_StringView message; /* that came with the status, or what failed here */
        struct metadata headers, trailers;
        upb_StringView
                details; /* a google.rpc.Status, serialized; empty: what the trailer of gRPC has */
        bool was_interrupted; /* by the user */
        uint64_t sent, received;
        uint64_t begun_ns, headers_ns, first_ns, ended_ns;
};

struct report {
        const struct call_options *options;
        const struct connection *connection;
        struct source *source;
        const struct source_method *method;
        const struct paint *paint;
        uint64_t schema_ns; /* when the method was known */
        bool is_pretty;
        bool has_begun; /* the document: its headers */
        uint64_t count; /* of messages */
        uint64_t written; /* of these, into the document */
};

/* What the call is, before it. */
void report_begin(struct report *report, const struct metadata *sent);

/* The headers have come. */
void report_headers(struct report *report, const struct metadata *headers);

/* A message, in @arena; it may be changed. An exit status. */
int report_message(struct report *report, struct upb_Message *message, struct upb_Arena *arena);

/* The end. The exit status of the program. */
int report_end(struct report *report, const struct outcome *outcome);
