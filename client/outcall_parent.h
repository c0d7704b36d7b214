/* SPDX-License-Identifier: MIT */
#pragma once

/* What an outcall takes over from the call of a server that it is made for: `parent` of quoit_call_options. */

#include "client/outcall.h"

/*
 * Adds the parent's trace context: the fields of W3C's Trace Context, and OpenCensus' grpc-trace-bin, but none that the call has
 * already. 0 or a negative errno.
 */
int outcall_inherit_trace(struct quoit_outcall *call, const struct quoit_call *parent);

/* The call ends with @parent, or at once where that has ended. */
void outcall_follow(struct quoit_outcall *call, struct quoit_call *parent);
