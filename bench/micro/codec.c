/* SPDX-License-Identifier: MIT */

/*
 * micro-codec: what a request costs from its bytes to a message, and an answer from a message to framed
 * bytes that can be sent, beside upb_Decode() and upb_Encode() alone. upb has the best of conditions: an
 * arena whose first block is there already, bytes that need no copy, no prefix.
 */

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/micro/codec_messages.h"
#include "bench/micro/measure.h"
#include "call/encoding.h"
#include "codec/arena.h"
#include "codec/framing.h"
#include "codec/message.h"
#include "upb/wire/decode.h"
#include "upb/wire/encode.h"

#define ARENA_BYTES ((size_t)1024) /* a call's */
#define UPB_BLOCK_BYTES ((size_t)16 * 1024)
#define BYTES_A_ROUND ((size_t)8 << 20)
#define OVERHEAD_BYTES                                                                             \
        256 /* what a message costs however small it is, in bytes that take as long */

struct codec {
        const struct codec_message *message;
        struct arena_pool pool;
        uint8_t *framed; /* as it comes from the wire */
        size_t framed_size;
        size_t count; /* of messages a round */
        struct pending_copy late;
        uint8_t place[WRITER_PLACE_BYTES_MAX]; /* where small answers go */
        char upb_block[UPB_BLOCK_BYTES];
};

static void __attribute__((noreturn)) fail(const struct codec *codec, const char *what)
{
        fprintf(stderr, "micro-codec: %s: %s\n", codec->message->name, what);
        exit(EXIT_FAILURE);
}

/* ---- one of each ---- */

static upb_Message *quoit_decode(struct codec *codec, struct arena *arena)
{
        const uint8_t *data = codec->framed;
        size_t size = codec->framed_size;
        struct framing_message bytes;
        struct framing framing;
        upb_Message *message;

        framing_init(&framing, SIZE_MAX);
        if (arena_init(arena, &codec->pool, ARENA_BYTES) < 0 ||
                framing_feed(&framing, arena->upb, &data, &size, &bytes) != 1 ||
                message_decode(bytes.data, bytes.size, codec->message->table, NULL, arena->upb,
                        &message, NULL) < 0)
                fail(codec, "Quoit cannot decode it");
        return message;
}

static upb_Message *upb_decode(struct codec *codec, upb_Arena **ret_arena)
{
        upb_Arena *arena =
                upb_Arena_Init(codec->upb_block, sizeof(codec->upb_block), &upb_alloc_global);
        upb_Message *message = upb_Message_New(codec->message->table, arena);

        if (upb_Decode((const char *)codec->framed + FRAMING_PREFIX_BYTES,
                    codec->framed_size - FRAMING_PREFIX_BYTES, message, codec->message->table, NULL,
                    kUpb_DecodeOption_AliasString, arena) != kUpb_DecodeStatus_Ok)
                fail(codec, "upb cannot decode it");
        *ret_arena = arena;
        return message;
}

/* As a call's writer does it: small messages end up in its queue by a copy, large ones as they are. */
static void quoit_encode(struct codec *codec, struct encoding *encoding)
{
        if (encoding_init(encoding, pending_copy_buffer(&codec->late),
                    arena_pool_alloc(&codec->pool), NULL, codec->message->message,
                    codec->message->table, SIZE_MAX) < 0)
                fail(codec, "Quoit cannot encode it");
        if (!encoding->first)
                pending_copy_put(&codec->late, codec->place, encoding->data, encoding->size);
}

static char *upb_encode(struct codec *codec, upb_Arena **ret_arena, size_t *ret_size)
{
        upb_Arena *arena =
                upb_Arena_Init(codec->upb_block, sizeof(codec->upb_block), &upb_alloc_global);
        char *data;

        if (upb_Encode(codec->message->message, codec->message->table, 0, arena, &data, ret_size) !=
                kUpb_EncodeStatus_Ok)
                fail(codec, "upb cannot encode it");
        *ret_arena = arena;
        return data;
}

/* ---- rounds ---- */

/* In nanoseconds. */
static double per_message(const struct codec *codec, uint64_t start_ns)
{
        return (double)(measure_cpu_ns() - start_ns) / (double)codec->count;
}

static double quoit_decode_round(void *arg)
{
        struct codec *codec = arg;
        uint64_t start_ns = measure_cpu_ns();

        for (size_t i = 0; i < codec->count; i++) {
                struct arena arena;

                (void)quoit_decode(codec, &arena);
                arena_deinit(&arena);
        }
        return per_message(codec, start_ns);
}

static double upb_decode_round(void *arg)
{
        struct codec *codec = arg;
        uint64_t start_ns = measure_cpu_ns();

        for (size_t i = 0; i < codec->count; i++) {
                upb_Arena *arena;

                (void)upb_decode(codec, &arena);
                upb_Arena_Free(arena);
        }
        return per_message(codec, start_ns);
}

static double quoit_encode_round(void *arg)
{
        struct codec *codec = arg;
        uint64_t start_ns = measure_cpu_ns();

        for (size_t i = 0; i < codec->count; i++) {
                struct encoding encoding;

                quoit_encode(codec, &encoding);
                encoding_deinit(&encoding);
        }
        return per_message(codec, start_ns);
}

static double upb_encode_round(void *arg)
{
        struct codec *codec = arg;
        uint64_t start_ns = measure_cpu_ns();

        for (size_t i = 0; i < codec->count; i++) {
                upb_Arena *arena;
                size_t size;

                (void)upb_encode(codec, &arena, &size);
                upb_Arena_Free(arena);
        }
        return per_message(codec, start_ns);
}

/* ---- what is measured is right ---- */

/* Quoit's bytes into codec->framed, which must be upb's behind a prefix. */
static void make_bytes(struct codec *codec)
{
        struct encoding encoding;
        upb_Arena *arena;
        size_t size;
        char *data;

        quoit_encode(codec, &encoding);
        codec->framed_size = encoding.size;
        codec->framed = malloc(encoding.size);
        if (!codec->framed)
                fail(codec, "out of memory");
        encoding_copy(&encoding, codec->framed);
        encoding_deinit(&encoding);

        data = upb_encode(codec, &arena, &size);
        if (codec->framed_size != FRAMING_PREFIX_BYTES + size ||
                memcmp(codec->framed + FRAMING_PREFIX_BYTES, data, size) != 0)
                fail(codec, "Quoit and upb encode it differently");
        upb_Arena_Free(arena);
}

/* Maps in order: of a decoded one it depends on where it lies in memory. */
static char *encode_in_order(
        struct codec *codec, const upb_Message *message, upb_Arena *arena, size_t *ret_size)
{
        char *data;

        if (upb_Encode(message, codec->message->table, kUpb_EncodeOption_Deterministic, arena,
                    &data, ret_size) != kUpb_EncodeStatus_Ok)
                fail(codec, "upb cannot encode it");
        return data;
}

static void check_same(struct codec *codec, const upb_Message *message, const char *problem)
{
        upb_Arena *arena = upb_Arena_New();
        size_t size, expected_size;
        char *data = encode_in_order(codec, message, arena, &size);
        char *expected = encode_in_order(codec, codec->message->message, arena, &expected_size);

        if (size != expected_size || memcmp(data, expected, size) != 0)
                fail(codec, problem);
        upb_Arena_Free(arena);
}

static void check_decoders(struct codec *codec)
{
        struct arena arena;
        upb_Arena *upb_arena;

        check_same(codec, quoit_decode(codec, &arena), "Quoit decodes it to another message");
        arena_deinit(&arena);
        check_same(codec, upb_decode(codec, &upb_arena), "upb decodes it to another message");
        upb_Arena_Free(upb_arena);
}

static void measure_message(
        const struct measure_options *options, const struct codec_message *message)
{
        /* of its own for each: upb leaves a block of its arenas poisoned under ASan */
        struct codec *codec = calloc(1, sizeof(*codec));
        char name[64];

        if (!codec)
                abort();
        codec->message = message;
        arena_pool_init(&codec->pool, (size_t)64 << 20);
        make_bytes(codec);
        check_decoders(codec);
        codec->count = BYTES_A_ROUND / (codec->framed_size + OVERHEAD_BYTES);
        snprintf(name, sizeof(name), "decode %s", message->name);
        measure_compare(options, name, quoit_decode_round, upb_decode_round, codec);
        snprintf(name, sizeof(name), "encode %s", message->name);
        measure_compare(options, name, quoit_encode_round, upb_encode_round, codec);
        arena_pool_deinit(&codec->pool);
        free(codec->framed);
        free(codec);
}

int main(int argc, char **argv)
{
        struct measure_options options = measure_parse(argc, argv, "micro-codec",
                "A message from framed bytes, and to framed bytes; the limit is upb alone.");
        struct codec_message messages[CODEC_MESSAGES];
        upb_Arena *arena = upb_Arena_New();

        codec_messages_make(arena, messages);
        for (unsigned i = 0; i < CODEC_MESSAGES; i++)
                measure_message(&options, messages + i);
        upb_Arena_Free(arena);
        return 0;
}
