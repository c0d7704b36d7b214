/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "differential_types.h"

#include "codec/framing.h"
#include "codec/message.h"
#include "tests/unit/codec/flat.h"
#include "tests/unit/codec/owner.h"
#include "upb/wire/decode.h"
#include "upb/wire/encode.h"

/*
 * Decodes and encodes messages by every decoder and encoder that there is, and says where those differ. What all of them
 * agree on is for Python to judge.
 *
 * { type, size, bytes } in; { verdict, size, bytes } out: the message encoded again, where there is one.
 */
enum verdict {
        PARSED,
        NOT_PARSED,
        WITHOUT_REQUIRED, /* parsed, but some required field is not there */
        SLOW_DECODER_DIFFERS,
        ALIASING_DECODER_DIFFERS,
        SERVER_DECODER_DIFFERS,
        SERVER_ENCODER_DIFFERS,
        SECOND_TIME_DIFFERS,
        UNKNOWN_EXTENSIONS_DIFFER,
        NOT_ENCODED,
};

struct bytes {
        char *data;
        size_t size;
};

/* One message, and what the decoders under test are to be like. */
struct trial {
        const upb_MiniTable *table;
        const upb_ExtensionRegistry *registry;
        upb_Arena *arena;
        const char *data;
        size_t size;
};

static upb_Message *decode(const struct trial *t, int options)
{
        return quoit_message_parse(t->data, t->size, t->table, t->registry, options, t->arena);
}

static bool encode(const struct trial *t, const upb_Message *message, struct bytes *ret)
{
        ret->data = quoit_message_serialize(
                message, t->table, kUpb_EncodeOption_Deterministic, t->arena, &ret->size);
        return ret->data;
}

/*
 * Whether they are the same, or the same in another order. upb keeps a map's entry that has unknown fields as an unknown
 * field of the message, encoded anew; the maps inside that one are in the order of their hash tables.
 */
static bool is_same(const struct bytes *a, const struct bytes *b)
{
        size_t counts[256] = { 0 };

        if (a->size != b->size)
                return false;
        if (!memcmp(a->data, b->data, a->size))
                return true;
        for (size_t i = 0; i < a->size; i++) {
                counts[(unsigned char)a->data[i]]++;
                counts[(unsigned char)b->data[i]]--;
        }
        for (size_t i = 0; i < 256; i++)
                if (counts[i])
                        return false;
        return true;
}

/* Whether @message is there where @expected is, and the same. */
static bool is_as(const struct trial *t, const upb_Message *message, const upb_Message *expected,
        const struct bytes *expected_bytes)
{
        struct bytes bytes;

        if (!message || !expected)
                return !message == !expected;
        return encode(t, message, &bytes) && is_same(&bytes, expected_bytes);
}

static enum verdict check_decoders(
        const struct trial *t, const upb_Message *expected, const struct bytes *bytes)
{
        struct trial again = *t;

        if (!is_as(t, decode(t, kUpb_DecodeOption_DisableFastTable), expected, bytes))
                return SLOW_DECODER_DIFFERS;
        if (!is_as(t, decode(t, kUpb_DecodeOption_AliasString), expected, bytes))
                return ALIASING_DECODER_DIFFERS;
        if (!expected)
                return NOT_PARSED;
        again.data = bytes->data;
        again.size = bytes->size;
        if (!is_as(t, decode(&again, 0), expected, bytes))
                return SECOND_TIME_DIFFERS;
        return PARSED;
}

/* encode_framed() and encode_flat(), in blocks as the bytes will have it, against upb's own encoder. */
static enum verdict check_encoders(const struct trial *t, const upb_Message *message)
{
        struct owner owner = { .encoder.bytes_max = SIZE_MAX,
                .random = t->size,
                .block_bytes_max = ENCODE_BLOCK_BYTES_MIN + t->size % 100,
                .blocks_left = SIZE_MAX };
        int options = kUpb_EncodeOption_CheckRequired |
                      (int)upb_EncodeOptions_MaxDepth(MESSAGE_DEPTH_MAX);
        struct bytes expected;
        uint8_t *bytes = NULL;
        size_t size;
        bool same;
        int r = owner_encode(&owner, message, t->table, &bytes, &size);

        expected.data =
                quoit_message_serialize(message, t->table, options, t->arena, &expected.size);
        if (!expected.data)
                return r == -EINVAL ? WITHOUT_REQUIRED : SERVER_ENCODER_DIFFERS;
        same = r == 0 && size == FRAMING_PREFIX_BYTES + expected.size &&
               !memcmp(bytes + FRAMING_PREFIX_BYTES, expected.data, expected.size);
        free(bytes);
        if (same && expected.size < 4096)
                (void)flat_is_as_expected(message, t->table, expected.data, expected.size);
        return same ? PARSED : SERVER_ENCODER_DIFFERS;
}

/* As a server has it: what lacks a required field is no message. */
static enum verdict check_server(const struct trial *t, const upb_Message *expected,
        const struct bytes *bytes, enum verdict verdict)
{
        upb_Message *message = NULL;

        (void)message_decode(
                (const uint8_t *)t->data, t->size, t->table, t->registry, t->arena, &message, NULL);
        if (!is_as(t, message, verdict == WITHOUT_REQUIRED ? NULL : expected, bytes))
                return SERVER_DECODER_DIFFERS;
        return verdict;
}

static enum verdict check(
        const struct trial *t, const upb_Message *message, struct bytes *ret_bytes)
{
        enum verdict verdict;

        if (message && !encode(t, message, ret_bytes))
                return NOT_ENCODED;
        verdict = check_decoders(t, message, ret_bytes);
        if (verdict == PARSED)
                verdict = check_encoders(t, message);
        return verdict <= WITHOUT_REQUIRED ? check_server(t, message, ret_bytes, verdict) : verdict;
}

/* Extensions that are not known go through as they came. */
static enum verdict check_without_extensions(
        const struct trial *t, const upb_Message *expected, const struct bytes *expected_bytes)
{
        struct trial without = *t, again = *t;
        struct bytes bytes = { NULL, 0 };
        upb_Message *message;
        enum verdict verdict;

        without.registry = NULL;
        message = decode(&without, 0);
        verdict = check(&without, message, &bytes);
        if (verdict > WITHOUT_REQUIRED || !expected)
                return verdict > WITHOUT_REQUIRED ? verdict : NOT_PARSED;
        again.data = bytes.data;
        again.size = bytes.size;
        return message && is_as(t, decode(&again, 0), expected, expected_bytes)
                       ? PARSED
                       : UNKNOWN_EXTENSIONS_DIFFER;
}

static enum verdict check_all(const struct trial *t, struct bytes *ret_bytes)
{
        upb_Message *message = decode(t, 0);
        enum verdict verdict = check(t, message, ret_bytes), without;

        if (verdict > WITHOUT_REQUIRED)
                return verdict;
        without = check_without_extensions(t, message, ret_bytes);
        return without > WITHOUT_REQUIRED ? without : verdict;
}

int main(void)
{
        uint32_t head[2];

        while (fread(head, sizeof(head), 1, stdin)) {
                upb_Arena *arena = upb_Arena_New();
                upb_ExtensionRegistry *registry = upb_ExtensionRegistry_New(arena);
                char *data = malloc(head[1] + !head[1]); /* a byte too far is ASan's */
                struct trial trial = { types[head[0]], registry, arena, data, head[1] };
                struct bytes bytes = { NULL, 0 };

                for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
                        assert(quoit_file_add_extensions(files[i], registry));
                assert(fread(data, 1, head[1], stdin) == head[1]);
                head[0] = check_all(&trial, &bytes);
                head[1] = (uint32_t)bytes.size;
                fwrite(head, sizeof(head), 1, stdout);
                fwrite(bytes.data, 1, bytes.size, stdout);
                free(data);
                upb_Arena_Free(arena);
        }
        return EXIT_SUCCESS;
}
