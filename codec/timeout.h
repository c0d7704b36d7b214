/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>

/*
 * The `grpc-timeout` header: one to eight digits and a unit, one of H M S m u n.
 */
#define TIMEOUT_BYTES_MAX 9

/* Returns 0, or -EINVAL when malformed. A timeout of more nanoseconds than fit is UINT64_MAX. */
int timeout_parse(const char *text, size_t size, uint64_t *ret_timeout_ns);

/*
 * Writes @timeout_ns in the finest unit in which eight digits are enough, rounded up as grpc-go does: so a peer never gives up
 * before the caller. Returns the bytes written, at most TIMEOUT_BYTES_MAX;
 * no terminator.
 */
size_t timeout_format(char out[TIMEOUT_BYTES_MAX], uint64_t timeout_ns);
