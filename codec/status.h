/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <quoit/status.h>

/*
 * `grpc-status` on the wire, and replacements where a peer sent none.
 */

/*
 * Parses the header's value: a decimal number without sign, space or leading zero. An unknown number is QUOIT_UNKNOWN. Returns
 * 0, or -EINVAL when it is not such a number.
 */
int status_parse(const char *text, size_t size, quoit_status *ret_status);

/*
 * The header's value, one or two digits in a static string; "2", UNKNOWN, for an unknown number.
 */
const char *status_format(quoit_status status);

/* What a response without `grpc-status` means, from its HTTP status. */
quoit_status status_from_http(unsigned int http_status);

/* The HTTP status that stands for @status in google.rpc.Code, three digits in a static string. */
const char *status_to_http(quoit_status status);

/* What a stream reset without `grpc-status` means, from its HTTP/2 error code. */
quoit_status status_from_http2_error(uint32_t error_code);

/* @status, or UNKNOWN for an unknown number, as in status_format(). */
quoit_status status_or_unknown(quoit_status status);

/* Whether the library itself may end a call with @status: seven are only for applications (quoit/status.h). */
bool status_is_for_library(quoit_status status);
