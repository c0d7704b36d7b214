/* SPDX-License-Identifier: MIT */
#pragma once

/* Which traces are recorded: OpenTelemetry's samplers. */

#include <stdbool.h>
#include <stdint.h>

#include <quoit/tracing.h>

struct sampler {
        bool asks_parent; /* a trace that a call brings with it is recorded if its caller's span is */
        uint64_t bound; /* other traces are recorded if their ids, in 63 bits, are below it */
};

/* By OTEL_TRACES_SAMPLER's @name and its @argument; NULL: the defaults. 0; -EINVAL: there is no such sampler or ratio; -ENOMEM. */
int sampler_parse(struct sampler *ret_sampler, const char *name, const char *argument);

/* Whether @trace is recorded. @parent: what the call has brought; NULL: nothing. */
bool sampler_wants(
        const struct sampler *sampler, const quoit_trace *trace, const quoit_trace *parent);
