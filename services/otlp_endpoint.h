/* SPDX-License-Identifier: MIT */
#pragma once

/* Where a collector is: OTEL_EXPORTER_OTLP_ENDPOINT. */

#include <stdbool.h>

#define OTLP_TARGET_BYTES 300

/*
 * The channel's target for @endpoint, a URL or a target, and whether it is by TLS: https is, and a target that is not a unix socket's,
 * unless @insecure. False: it is neither, or too long.
 */
bool otlp_endpoint_parse(
        const char *endpoint, bool insecure, char ret_target[OTLP_TARGET_BYTES], bool *ret_is_tls);
