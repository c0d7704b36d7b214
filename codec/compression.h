/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <quoit/compression.h>

/* The algorithms' names on the wire. */

/* All algorithms of this library, as a value of `grpc-accept-encoding`. */
#define COMPRESSION_LIST "identity,deflate,gzip,zstd"

static inline bool compression_is_known(quoit_compression algorithm)
{
        return (unsigned)algorithm <= QUOIT_ZSTD;
}

/* A set of algorithms: bit 1 << algorithm. */
typedef unsigned compression_set;

static inline bool compression_has(compression_set set, quoit_compression algorithm)
{
        return set >> algorithm & 1;
}

/* Parses the value of `grpc-encoding`: 0, or -EINVAL for an unknown name. */
int compression_parse(const char *name, size_t size, quoit_compression *ret_algorithm);

/* The name in a static string. @algorithm must be one of ours. */
const char *compression_name(quoit_compression algorithm);

/*
 * The set of our algorithms that a peer takes, by its `grpc-accept-encoding`, or by HTTP's Accept-Encoding (RFC 9110, section 12.5.3):
 * names with commas between them, each perhaps with a weight. One that it wants less than none at all ("gzip;q=0.5, identity") is
 * not in it. Identity is, unless it is refused ("identity;q=0", or "*;q=0").
 */
compression_set compression_parse_list(const char *list, size_t size);

/* The last list that was parsed: peers send the same one with every call. Zeroed memory is a valid object. */
struct compression_cache {
        char list[64];
        size_t size;
        compression_set set;
};

/* As compression_parse_list(). */
compression_set compression_cache_parse(
        struct compression_cache *cache, const char *list, size_t size);
