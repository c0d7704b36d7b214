/* SPDX-License-Identifier: MIT */
#pragma once

/* Compression of messages: gRPC's document "Compression in gRPC". */

#include <quoit/export.h>

QUOIT_BEGIN_DECLS

/*
 * The algorithms, by their names in `grpc-encoding` and `grpc-accept-encoding`. Requests in any of
 * them are decompressed before the handler sees them.
 */
typedef enum quoit_compression {
        QUOIT_IDENTITY = 0, /* "identity": not compressed */
        QUOIT_DEFLATE = 1, /* "deflate": the zlib format, RFC 1950 */
        QUOIT_GZIP = 2, /* "gzip": RFC 1952 */
        QUOIT_ZSTD = 3, /* "zstd": RFC 8878 */
} quoit_compression;

QUOIT_END_DECLS
