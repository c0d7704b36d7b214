/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "kitchen/proto2.quoit.h"
#include "kitchen/proto3.quoit.h"

#include "../tests/unit/codec/flat.h"
#include "../tests/unit/codec/owner.h"
#include "codec/framing.h"
#include "codec/message.h"
#include "google/protobuf/descriptor.upb.h"
#include "upb/message/compare.h"
#include "upb/reflection/def.h"
#include "upb/wire/encode.h"

/*
 * Decoding with generated tables: whatever can be decoded can be encoded. The result decodes to an equal
 * message, and encodes to the same bytes. The slow decoder and the fast one, with strings copied or
 * aliased, must agree; so must both encoders. Tables that upb makes at run time, from the files' descriptors, give the same bytes.
 * (What Python makes of the same inputs: tests/test_differential.py.)
 *
 * Input: one byte for the type of message, then the message.
 */
static const struct type {
        const upb_MiniTable *table;
        const char *name;
} types[] = {
        { &quoit_kitchen__Proto3_msg_init, "kitchen.Proto3" },
        { &quoit_kitchen__Proto2_msg_init, "kitchen.Proto2" },
        { &quoit_kitchen__Many_msg_init, "kitchen.Many" },
        { &quoit_kitchen__ManyRequired_msg_init, "kitchen.ManyRequired" },
        { &quoit_kitchen__Required_msg_init, "kitchen.Required" },
        { &quoit_kitchen__Set_msg_init, "kitchen.Set" },
        { &quoit_kitchen__Shared_msg_init, "kitchen.Shared" },
        { &quoit_kitchen__Empty_msg_init, "kitchen.Empty" },
};

static upb_DefPool *pool; /* of the same files, with tables of its own */

static void add_to_pool(const quoit_file_descriptor *file, upb_Arena *arena)
{
        google_protobuf_FileDescriptorProto *proto;
        upb_Status status;

        if (upb_DefPool_FindFileByName(pool, file->name))
                return;
        for (size_t i = 0; i < file->dependency_count; i++)
                add_to_pool(file->dependencies[i], arena);
        proto = google_protobuf_FileDescriptorProto_parse(file->bytes, file->size, arena);
        upb_Status_Clear(&status);
        if (!proto || !upb_DefPool_AddFile(pool, proto, &status))
                abort();
}

static void make_pool(void)
{
        upb_Arena *arena = upb_Arena_New();

        pool = upb_DefPool_New();
        assert(arena && pool);
        add_to_pool(&kitchen_proto2_proto_quoit_file, arena);
        add_to_pool(&kitchen_proto3_proto_quoit_file, arena);
        upb_Arena_Free(arena);
}

static upb_ExtensionRegistry *make_registry(upb_Arena *arena)
{
        upb_ExtensionRegistry *registry = upb_ExtensionRegistry_New(arena);
        bool added =
                registry && quoit_file_add_extensions(&kitchen_proto2_proto_quoit_file, registry);

        assert(added);
        return registry;
}

static upb_Message *decode(const char *data, size_t size, const upb_MiniTable *table,
        const upb_ExtensionRegistry *registry, int options, upb_Arena *arena)
{
        return quoit_message_parse(data, size, table, registry, options, arena);
}

static char *encode(
        const upb_Message *msg, const upb_MiniTable *table, upb_Arena *arena, size_t *ret_size)
{
        char *bytes = quoit_message_serialize(
                msg, table, kUpb_EncodeOption_Deterministic, arena, ret_size);

        assert(bytes);
        return bytes;
}

static void check_again(const char *data, size_t size, const upb_Message *msg,
        const upb_MiniTable *table, const upb_ExtensionRegistry *registry, int options,
        upb_Arena *arena)
{
        upb_Message *other = decode(data, size, table, registry, options, arena);
        size_t size1, size2;
        const char *bytes1 = encode(msg, table, arena, &size1), *bytes2;

        assert(other);
        bytes2 = encode(other, table, arena, &size2);
        assert(size1 == size2 && !memcmp(bytes1, bytes2, size1));
}

/* Blocks of sizes that the input chooses; ASan finds a byte too many. */
static void check_encoders(
        const upb_Message *msg, const upb_MiniTable *table, uint64_t random, upb_Arena *arena)
{
        int options = kUpb_EncodeOption_CheckRequired |
                      (int)upb_EncodeOptions_MaxDepth(MESSAGE_DEPTH_MAX);
        struct owner owner = { .encoder.bytes_max = SIZE_MAX,
                .random = random,
                .block_bytes_max = ENCODE_BLOCK_BYTES_MIN + random % 100,
                .blocks_left = SIZE_MAX };
        size_t size, encoded_size;
        char *encoded;
        uint8_t *bytes;

        if (upb_Encode(msg, table, options, arena, &encoded, &encoded_size) !=
                kUpb_EncodeStatus_Ok) {
                assert(owner_encode(&owner, msg, table, &bytes, &size) < 0);
                return;
        }
        assert(owner_encode(&owner, msg, table, &bytes, &size) == 0);
        assert(size == FRAMING_PREFIX_BYTES + encoded_size);
        assert(!encoded_size || !memcmp(bytes + FRAMING_PREFIX_BYTES, encoded, encoded_size));
        free(bytes);
        (void)flat_is_as_expected(msg, table, encoded, encoded_size);
}

/* The tables that are made at run time. @msg: what the generated ones say, NULL: it is no such message. */
static void check_dynamic(const char *data, size_t size, const struct type *type,
        const upb_Message *msg, upb_Arena *arena)
{
        const upb_MessageDef *def = upb_DefPool_FindMessageByName(pool, type->name);
        const upb_MiniTable *table = upb_MessageDef_MiniTable(def);
        upb_Message *other =
                decode(data, size, table, upb_DefPool_ExtensionRegistry(pool), 0, arena);
        size_t size1, size2;
        const char *bytes1, *bytes2;

        assert(!other == !msg);
        if (!msg)
                return;
        bytes1 = encode(msg, type->table, arena, &size1);
        bytes2 = encode(other, table, arena, &size2);
        assert(size1 == size2 && !memcmp(bytes1, bytes2, size1));
}

static void check(const char *data, size_t size, const struct type *type, upb_Arena *arena)
{
        const upb_MiniTable *table = type->table;
        const upb_ExtensionRegistry *registry = make_registry(arena);
        upb_Message *msg = decode(data, size, table, registry, 0, arena), *again;
        size_t encoded_size;
        char *encoded;

        check_dynamic(data, size, type, msg, arena);
        if (!msg) {
                /* The decoders must agree also on bytes that are not a message. */
                assert(!decode(
                        data, size, table, registry, kUpb_DecodeOption_DisableFastTable, arena));
                return;
        }
        check_encoders(msg, table, size, arena);
        check_again(data, size, msg, table, registry, kUpb_DecodeOption_DisableFastTable, arena);
        check_again(data, size, msg, table, registry, kUpb_DecodeOption_AliasString, arena);

        encoded = encode(msg, table, arena, &encoded_size);
        again = decode(encoded, encoded_size, table, registry, 0, arena);
        assert(again);
        assert(upb_Message_IsEqual(msg, again, table, 0));
        check_again(encoded, encoded_size, msg, table, registry, 0, arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        upb_Arena *arena;

        if (!size)
                return 0;
        arena = upb_Arena_New();
        assert(arena);
        if (!pool)
                make_pool();
        check((const char *)data + 1, size - 1, types + data[0] % (sizeof(types) / sizeof(*types)),
                arena);
        upb_Arena_Free(arena);
        return 0;
}
