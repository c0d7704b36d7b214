/* SPDX-License-Identifier: MIT */
#pragma once

/* Spans as OTLP has them: proto/internal/otlp.proto. */

#include <stddef.h>

#include "internal/otlp.quoit.h"
#include "services/span.h"

/* Whose spans they are. */
struct otlp_resource {
        char *service_name;
        char **keys; /* @count further attributes */
        char **values;
        size_t count;
};

/* An export of @spans, in @arena; the strings of @resource and @spans must stay until it is sent. NULL: there is no memory. */
quoit_otlp_ExportTraceServiceRequest *otlp_make(upb_Arena *arena,
        const struct otlp_resource *resource, const struct span *spans, size_t count);
