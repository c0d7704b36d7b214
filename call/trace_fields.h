/* SPDX-License-Identifier: MIT */
#pragma once

/* What traces the outcalls that are made for a call: quoit_call_set_trace(). */

#include <stddef.h>

#include <quoit/call.h>
#include <quoit/client.h>

/* In the call's arena. */
struct trace_fields {
        size_t count;
        quoit_metadata of[];
};

/* NULL: as the request has it. On the call's thread. */
const struct trace_fields *trace_fields_find(const struct quoit_call *call);
