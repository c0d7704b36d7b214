/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Metadata as gRPC's HTTP/2 mapping restricts it: names of lower-case letters, digits, '_', '-' and
 * '.'; values of printable ASCII, or any bytes in base64 if the name ends in "-bin".
 */

/* Whether @name is well-formed and not empty. HTTP/2's pseudo-headers (":path") are not. */
bool metadata_name_valid(const char *name, size_t size);

/*
 * Whether @name is reserved for the protocol: all names that begin with "grpc-", except those that applications and their tools
 * use, grpc-previous-rpc-attempts and grpc-retry-pushback-ms (gRFC A6), grpc-trace-bin and grpc-tags-bin (OpenCensus), and
 * grpc-server-stats-bin.
 */
bool metadata_name_reserved(const char *name, size_t size);

/*
 * Whether @name ends in "-bin" (with something before it): its values are bytes, in base64 on the
 * wire.
 */
bool metadata_name_binary(const char *name, size_t size);

/*
 * Whether @value is valid under a name that does not end in "-bin": only bytes 0x20..0x7E; can be empty.
 */
bool metadata_value_valid(const char *value, size_t size);

/*
 * Walks the values of one "-bin" header. HTTP allows proxies to join several headers of one name with ",", so one header may
 * hold several values, each with its own base64; white space around them is dropped.
 */
struct metadata_binary {
        const char *cursor; /* NULL when done */
        const char *end;
};

/* [@value, @value + @size) must live as long as the walk. An empty header holds one empty value. */
void metadata_binary_init(struct metadata_binary *walk, const char *value, size_t size);

/*
 * Decodes the next value into @out. Room for base64_decoded_size_max(size of the whole header) bytes is enough for all its
 * values, one after the other. Returns 1 with a value, 0 when there are no more, -EINVAL when it is not base64 (the walk can go
 * on).
 */
int metadata_binary_next(struct metadata_binary *walk, uint8_t *out, size_t *ret_size);
