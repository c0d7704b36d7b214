/* SPDX-License-Identifier: MIT */
#pragma once

/* What a quoit_tracing is: tracing_make.c makes it, and tracing.c puts spans into it. */

#include <quoit/tracing.h>

#include "services/sampler.h"
#include "services/span_exporter.h"
#include "services/trace_ids.h"

struct quoit_tracing {
        struct sampler sampler;
        struct trace_ids ids;
        char *headers; /* the exporter's metadata are parts of these */
        char *attributes; /* and its resource's attributes of these */
        struct span_exporter exporter;
};
