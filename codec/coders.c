/* SPDX-License-Identifier: MIT */
#include "codec/coders.h"

#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

/* zlib's names for the formats, by the size of its window (deflateInit2). */
#define ZLIB_FORMAT 15
#define GZIP_FORMAT (15 + 16)

/* Fast levels, because a ring's other calls wait. docs/protocol.md has the costs of others. */
#define ZLIB_LEVEL 1
#define ZSTD_LEVEL 1

/* The window of a zstd frame that RFC 8878 (section 3.1.1.1.2) requires every decoder to support. A larger one is refused. */
#define ZSTD_WINDOW_BITS 23

#define PLAIN_BYTES_FIRST ((size_t)16 << 10) /* the first size of the output */

/*
 * Data is compressed in blocks, and each can have tables of its own. Building these takes a microsecond or more, from a dozen
 * bytes, even if the block has no output. Encoders make blocks of 16 KiB and more; zlib with its smallest memory level makes
 * blocks of 127 bytes. Data with more blocks than the message's limit has of that size was made to keep us busy. Some blocks
 * are always allowed, for small limits.
 */
#define BLOCKS_FREE 1024
#define BLOCK_BYTES_MIN 127

/* ---- memory ---- */

uint8_t *coders_memory(struct coders *coders, size_t size)
{
        uint8_t *memory;

        if (size <= coders->memory_bytes)
                return coders->memory;
        memory = realloc(coders->memory, size);
        if (!memory)
                return NULL;
        coders->memory = memory;
        coders->memory_bytes = size;
        return memory;
}

void coders_trim(struct coders *coders)
{
        if (coders->memory_bytes <= CODERS_KEPT_BYTES)
                return;
        free(coders->memory);
        coders->memory = NULL;
        coders->memory_bytes = 0;
}

void coders_deinit(struct coders *coders)
{
        for (size_t i = 0; i < sizeof(coders->deflaters) / sizeof(*coders->deflaters); i++) {
                if (coders->deflaters[i])
                        deflateEnd(coders->deflaters[i]);
                free(coders->deflaters[i]);
        }
        if (coders->inflater)
                inflateEnd(coders->inflater);
        free(coders->inflater);
        ZSTD_freeCCtx(coders->zstd);
        ZSTD_freeDCtx(coders->unzstd);
        free(coders->memory);
        *coders = (struct coders){ 0 };
}

static int format_of(quoit_compression algorithm)
{
        return algorithm == QUOIT_GZIP ? GZIP_FORMAT : ZLIB_FORMAT;
}

/* ---- out ---- */

/* A coder in its initial state. NULL: no memory. */
static z_stream *ready_deflater(struct coders *coders, quoit_compression algorithm)
{
        z_stream **place = coders->deflaters + algorithm;

        if (*place) {
                deflateReset(*place);
                return *place;
        }
        *place = calloc(1, sizeof(**place));
        if (*place && deflateInit2(*place, ZLIB_LEVEL, Z_DEFLATED, format_of(algorithm),
                              MAX_MEM_LEVEL - 1, Z_DEFAULT_STRATEGY) != Z_OK) {
                free(*place);
                *place = NULL;
        }
        return *place;
}

static int compress_zlib(struct coders *coders, quoit_compression algorithm, const uint8_t *data,
        size_t size, uint8_t *out, size_t *out_size)
{
        z_stream *stream = ready_deflater(coders, algorithm);

        if (!stream)
                return -ENOMEM;
        stream->next_in = (Bytef *)data;
        stream->avail_in = (uInt)size;
        stream->next_out = out;
        stream->avail_out = (uInt)*out_size;
        if (deflate(stream, Z_FINISH) != Z_STREAM_END)
                return -ENOSPC;
        *out_size -= stream->avail_out;
        return 0;
}

static int zstd_error(size_t result, int otherwise)
{
        return ZSTD_getErrorCode(result) == ZSTD_error_memory_allocation ? -ENOMEM : otherwise;
}

static int compress_zstd(
        struct coders *coders, const uint8_t *data, size_t size, uint8_t *out, size_t *out_size)
{
        size_t result;

        if (!coders->zstd)
                coders->zstd = ZSTD_createCCtx();
        if (!coders->zstd)
                return -ENOMEM;
        result = ZSTD_compressCCtx(coders->zstd, out, *out_size, data, size, ZSTD_LEVEL);
        if (ZSTD_isError(result))
                return zstd_error(result, -ENOSPC);
        *out_size = result;
        return 0;
}

int coders_compress(struct coders *coders, quoit_compression algorithm, const uint8_t *data,
        size_t size, uint8_t *out, size_t *out_size)
{
        if (algorithm == QUOIT_ZSTD)
                return compress_zstd(coders, data, size, out, out_size);
        return compress_zlib(coders, algorithm, data, size, out, out_size);
}

/* ---- in ---- */

/* The output so far, in the memory of the coders. */
struct plain {
        struct coders *coders;
        size_t size;
        size_t bytes_max;
        size_t blocks_left;
};

static int count_block(struct plain *plain)
{
        return plain->blocks_left-- > 0 ? 0 : -E2BIG;
}

/* Makes room when none is left. One byte over the limit is enough to see that it is exceeded. */
static int make_room(struct plain *plain)
{
        size_t want = plain->size < PLAIN_BYTES_FIRST ? PLAIN_BYTES_FIRST : 2 * plain->size;

        if (want > plain->bytes_max + 1)
                want = plain->bytes_max + 1;
        return coders_memory(plain->coders, want) ? 0 : -ENOMEM;
}

static size_t room(const struct plain *plain)
{
        size_t all = plain->coders->memory_bytes;

        return (all > plain->bytes_max ? plain->bytes_max + 1 : all) - plain->size;
}

static z_stream *ready_inflater(struct coders *coders, quoit_compression algorithm)
{
        z_stream *stream = coders->inflater;

        if (stream) {
                inflateReset2(stream, format_of(algorithm));
                return stream;
        }
        stream = calloc(1, sizeof(*stream));
        if (stream && inflateInit2(stream, format_of(algorithm)) != Z_OK) {
                free(stream);
                stream = NULL;
        }
        return coders->inflater = stream;
}

#define AFTER_BLOCK                                                                                \
        128 /* in data_type: inflate() stopped at the end of a block (Z_BLOCK), or behind a header */

/* 1 when the data has ended, 0 when there is more to do. */
static int after_inflate(
        struct plain *plain, z_stream *stream, quoit_compression algorithm, int result)
{
        switch (result) {
        case Z_STREAM_END:
                if (stream->avail_in == 0)
                        return 1;
                return algorithm == QUOIT_GZIP && inflateReset(stream) == Z_OK ? 0 : -EBADMSG;
        case Z_OK:
                return stream->data_type & AFTER_BLOCK ? count_block(plain) : 0;
        case Z_BUF_ERROR:
                return stream->avail_out == 0 ? 0 : -EBADMSG; /* it ends too early */
        case Z_MEM_ERROR:
                return -ENOMEM;
        default:
                return -EBADMSG;
        }
}

static int decompress_zlib(
        struct plain *plain, quoit_compression algorithm, const uint8_t *data, size_t size)
{
        z_stream *stream = ready_inflater(plain->coders, algorithm);
        int r = 0;

        if (!stream)
                return -ENOMEM;
        stream->next_in = (Bytef *)data;
        stream->avail_in = (uInt)size;
        while (r == 0) {
                size_t given;

                if (room(plain) == 0 && make_room(plain) < 0)
                        return -ENOMEM;
                given = room(plain);
                stream->next_out = plain->coders->memory + plain->size;
                stream->avail_out = (uInt)given;
                r = inflate(stream, Z_BLOCK);
                plain->size += given - stream->avail_out;
                if (plain->size > plain->bytes_max)
                        return -EMSGSIZE;
                r = after_inflate(plain, stream, algorithm, r);
        }
        return r < 0 ? r : 0;
}

static ZSTD_DCtx *ready_unzstd(struct coders *coders)
{
        if (coders->unzstd) {
                ZSTD_DCtx_reset(coders->unzstd, ZSTD_reset_session_only);
                return coders->unzstd;
        }
        coders->unzstd = ZSTD_createDCtx();
        if (coders->unzstd)
                ZSTD_DCtx_setParameter(coders->unzstd, ZSTD_d_windowLogMax, ZSTD_WINDOW_BITS);
        return coders->unzstd;
}

/* RFC 8878's. A zstd that can also read older formats must not do so here: a peer must not be able to choose old code. */
static bool begins_frame(const uint8_t *data, size_t size)
{
        uint32_t magic;

        if (size < sizeof(magic))
                return false;
        memcpy(&magic, data, sizeof(magic));
        magic = le32toh(magic);
        return magic == ZSTD_MAGICNUMBER ||
               (magic & ZSTD_MAGIC_SKIPPABLE_MASK) == ZSTD_MAGIC_SKIPPABLE_START;
}

#define FRAME_HEADER_BYTES_MIN 5
#define ZSTD_ONE_PIECE_BYTES ((size_t)4 << 10) /* has fewer blocks than are always allowed */

/*
 * The end of the next piece for zstd: it wants at most a block, @wanted, and does not get more, so that we can count blocks.
 * Small data is passed whole, which needs no copy.
 */
static size_t piece_end(const ZSTD_inBuffer *in, size_t size, size_t wanted)
{
        size_t left = size - in->pos;

        if (wanted == 0)
                wanted = FRAME_HEADER_BYTES_MIN;
        return size <= ZSTD_ONE_PIECE_BYTES || wanted > left ? size : in->pos + wanted;
}

static int decompress_zstd(struct plain *plain, const uint8_t *data, size_t size)
{
        ZSTD_DCtx *context = ready_unzstd(plain->coders);
        ZSTD_inBuffer in = { data, 0, 0 };
        size_t wanted = 0; /* 0: between two frames */

        if (!context)
                return -ENOMEM;
        for (;;) {
                ZSTD_outBuffer out;

                if (wanted == 0 && !begins_frame(data + in.pos, size - in.pos))
                        return -EBADMSG;
                if (room(plain) == 0 && make_room(plain) < 0)
                        return -ENOMEM;
                if (in.pos == in.size) {
                        in.size = piece_end(&in, size, wanted);
                        if (count_block(plain) < 0)
                                return -E2BIG;
                }
                out = (ZSTD_outBuffer){ plain->coders->memory + plain->size, room(plain), 0 };
                wanted = ZSTD_decompressStream(context, &out, &in);
                plain->size += out.pos;
                if (plain->size > plain->bytes_max)
                        return -EMSGSIZE;
                if (ZSTD_isError(wanted))
                        return zstd_error(wanted, -EBADMSG);
                if (wanted == 0 && in.pos == size)
                        return 0;
                if (in.pos == size && out.pos < out.size)
                        return -EBADMSG; /* it ends too early */
        }
}

int coders_decompress(struct coders *coders, quoit_compression algorithm, const uint8_t *data,
        size_t size, size_t bytes_max, const uint8_t **ret_data, size_t *ret_size)
{
        struct plain plain = { .coders = coders,
                .bytes_max = bytes_max < INT32_MAX ? bytes_max : INT32_MAX };
        int r;

        plain.blocks_left = BLOCKS_FREE + plain.bytes_max / BLOCK_BYTES_MIN;
        if (size == 0)
                r = 0;
        else if (algorithm == QUOIT_ZSTD)
                r = decompress_zstd(&plain, data, size);
        else
                r = decompress_zlib(&plain, algorithm, data, size);
        if (r < 0)
                return r;
        *ret_data = plain.size > 0 ? coders->memory : (const uint8_t *)"";
        *ret_size = plain.size;
        return 0;
}
