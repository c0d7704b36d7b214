/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <quoit/compression.h>

/*
 * What compresses and decompresses messages: the states of zlib and zstd, and memory for what comes out,
 * made when first needed and kept, so that a compressed call in steady state takes no memory anew.
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

/* At least @size bytes, until the next use of @coders; NULL: there is no memory. */
uint8_t *coders_memory(struct coders *coders, size_t size);

/* Nothing of the memory is in use: more than CODERS_KEPT_BYTES of it is not kept. */
#define CODERS_KEPT_BYTES ((size_t)256 << 10)
void coders_trim(struct coders *coders);

/*
 * Compresses [@data, @data + @size) into @out, which has room for *@out_size bytes, and says there how many it
 * took. 0; -ENOSPC: it is longer than that; -ENOMEM. @algorithm is not identity.
 */
int coders_compress(struct coders *coders, quoit_compression algorithm, const uint8_t *data,
        size_t size, uint8_t *out, size_t *out_size);

/*
 * Decompresses [@data, @data + @size), which is all of one message, into the memory of @coders: it is never made to
 * hold more than @bytes_max + 1 bytes, whatever the data says of itself. Several gzip members (RFC 1952 section 2.2) or
 * zstd frames are one message; nothing at all is an empty one. *ret_data is valid until the next use of @coders.
 *
 * Returns 0, or
 *   -EMSGSIZE  more than @bytes_max bytes
 *   -E2BIG     far more blocks than such a message has: it would take long and come to little
 *   -EBADMSG   no such data, cut short, or followed by something else
 *   -ENOMEM
 */
int coders_decompress(struct coders *coders, quoit_compression algorithm, const uint8_t *data,
        size_t size, size_t bytes_max, const uint8_t **ret_data, size_t *ret_size);
