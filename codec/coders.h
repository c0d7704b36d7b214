/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <quoit/compression.h>

/*
 * Compresses and decompresses messages: the states of zlib and zstd, and memory for their output, are made when first needed
 * and kept, so that a compressed call in steady state allocates nothing.
 *
 * Thread: exactly one, its owner's: a ring's, or a worker's. Zeroed memory is a valid object, and costs nothing.
 */
struct coders {
        struct z_stream_s *deflaters[QUOIT_ZSTD]; /* by algorithm */
        struct z_stream_s *inflater;
        struct ZSTD_CCtx_s *zstd;
        struct ZSTD_DCtx_s *unzstd;
        uint8_t *memory;
        size_t memory_bytes;
};

void coders_deinit(struct coders *coders);

/* At least @size bytes, until the next use of @coders; NULL: no memory. */
uint8_t *coders_memory(struct coders *coders, size_t size);

/* The memory is no longer in use: frees it if it is more than CODERS_KEPT_BYTES. */
#define CODERS_KEPT_BYTES ((size_t)256 << 10)
void coders_trim(struct coders *coders);

/*
 * Compresses [@data, @data + @size) into @out, which has room for *@out_size bytes; sets *@out_size to the compressed size. 0;
 * -ENOSPC: it does not fit; -ENOMEM. @algorithm is not identity.
 */
int coders_compress(struct coders *coders, quoit_compression algorithm, const uint8_t *data,
        size_t size, uint8_t *out, size_t *out_size);

/*
 * Decompresses [@data, @data + @size), which is all of one message, into the memory of @coders. That never holds more than
 * @bytes_max + 1 bytes, whatever size the data declares. Several gzip members (RFC 1952 section 2.2) or zstd frames are one
 * message; no bytes are an empty message. *ret_data is valid until the next use of @coders.
 *
 * Returns 0, or
 *   -EMSGSIZE  more than @bytes_max bytes
 *   -E2BIG     far more blocks than an honest message has: it would take long for little output
 *   -EBADMSG   wrong format, truncated, or followed by other bytes
 *   -ENOMEM
 */
int coders_decompress(struct coders *coders, quoit_compression algorithm, const uint8_t *data,
        size_t size, size_t bytes_max, const uint8_t **ret_data, size_t *ret_size);
