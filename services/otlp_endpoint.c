/* SPDX-License-Identifier: MIT */
#include "services/otlp_endpoint.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define PORT "4317" /* of OTLP over gRPC */

/* @rest is HOST, HOST:PORT, or an address of IPv6 in brackets, with at most a "/" behind it. */
static bool parse_authority(const char *rest, char ret_target[OTLP_TARGET_BYTES])
{
        size_t size = strcspn(rest, "/?#");
        const char *close = memchr(rest, ']', size);
        const char *host_end = close ? close : rest;
        bool has_port = memchr(host_end, ':', size - (size_t)(host_end - rest));

        if (size == 0 || strcmp(rest + size, rest[size] == '/' ? "/" : "") != 0)
                return false;
        return snprintf(ret_target, OTLP_TARGET_BYTES, "%.*s%s", (int)size, rest,
                       has_port ? "" : ":" PORT) < OTLP_TARGET_BYTES;
}

bool otlp_endpoint_parse(
        const char *endpoint, bool insecure, char ret_target[OTLP_TARGET_BYTES], bool *ret_is_tls)
{
        *ret_is_tls = strncasecmp(endpoint, "https://", 8) == 0;
        if (*ret_is_tls)
                return parse_authority(endpoint + 8, ret_target);
        if (strncasecmp(endpoint, "http://", 7) == 0)
                return parse_authority(endpoint + 7, ret_target);
        *ret_is_tls = !insecure && strncmp(endpoint, "unix", 4) != 0;
        return snprintf(ret_target, OTLP_TARGET_BYTES, "%s", endpoint) < OTLP_TARGET_BYTES;
}
