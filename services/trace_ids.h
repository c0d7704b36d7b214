/* SPDX-License-Identifier: MIT */
#pragma once

/* New ids of traces and spans, on any thread. Nobody shall guess that two are of one process, but they are no secrets. */

#include <stdatomic.h>
#include <stdint.h>

#include <quoit/tracing.h>

struct trace_ids {
        uint64_t seeds[3];
        atomic_ullong next;
};

void trace_ids_init(struct trace_ids *ids);

/* A new span: of @trace as it is, or, if @parent is NULL, of a new trace. Its flags are the caller's business. */
void trace_ids_make(struct trace_ids *ids, const quoit_trace *parent, quoit_trace *ret_trace);
