/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "codec/coders.h"

/*
 * Any compressed bytes give a message within the limit or an error, with memory of at most one byte over the limit; and
 * every message is the same after compressing and decompressing.
 *
 * Input: a byte of algorithm, two of limit, the data. The coders are kept from one input to the next, as a ring
 * keeps them from peer to peer: an input must not change the result of a later one.
 */
#define LIMIT_SCALE 16

static struct coders kept;

static int decompress(struct coders *coders, quoit_compression algorithm, const uint8_t *data,
        size_t size, size_t limit, uint8_t **ret_copy, size_t *ret_size)
{
        const uint8_t *plain;
        int r = coders_decompress(coders, algorithm, data, size, limit, &plain, ret_size);

        *ret_copy = NULL;
        if (r < 0) {
                assert(r == -EMSGSIZE || r == -EBADMSG);
                return r;
        }
        assert(*ret_size <= limit);
        *ret_copy = malloc(*ret_size + 1);
        memcpy(*ret_copy, plain, *ret_size);
        return 0;
}

static void check_decompress(
        quoit_compression algorithm, const uint8_t *data, size_t size, size_t limit)
{
        struct coders fresh = { 0 };
        uint8_t *one, *other;
        size_t one_size = 0, other_size = 0;
        int first = decompress(&kept, algorithm, data, size, limit, &one, &one_size);
        int second = decompress(&fresh, algorithm, data, size, limit, &other, &other_size);

        /* libzstd has two ways, chosen by the size of the output: they can find different errors in a broken frame */
        assert(first == second || algorithm == QUOIT_ZSTD);
        assert(fresh.memory_bytes <= limit + 1);
        if (first == 0 && second == 0) {
                assert(one_size == other_size);
                assert(one_size == 0 || memcmp(one, other, one_size) == 0);
        }
        free(one);
        free(other);
        coders_deinit(&fresh);
}

static void check_round_trip(quoit_compression algorithm, const uint8_t *data, size_t size)
{
        size_t packed_size = size + 1024, plain_size;
        uint8_t *packed = malloc(packed_size);
        const uint8_t *plain;

        assert(coders_compress(&kept, algorithm, data, size, packed, &packed_size) == 0);
        assert(coders_decompress(
                       &kept, algorithm, packed, packed_size, size, &plain, &plain_size) == 0);
        assert(plain_size == size && (size == 0 || memcmp(plain, data, size) == 0));
        free(packed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        quoit_compression algorithm;

        if (size < 3)
                return 0;
        algorithm = (quoit_compression)(QUOIT_DEFLATE + data[0] % QUOIT_ZSTD);
        check_decompress(
                algorithm, data + 3, size - 3, LIMIT_SCALE * ((size_t)data[1] << 8 | data[2]));
        check_round_trip(algorithm, data + 3, size - 3);
        return 0;
}
