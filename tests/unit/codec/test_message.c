/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "codec/arena.h"
#include "codec/framing.h"
#include "codec/message.h"
#include "node.h"
#include "owner.h"
#include "random.h"
#include "short_memory.h"
#include "upb/message/accessors.h"
#include "upb/message/array.h"

#include <errno.h>

struct fixture {
        upb_Arena *arena;
        const upb_MiniTable *table;
};

static int setup(void **state)
{
        struct fixture *fixture = malloc(sizeof(*fixture));

        fixture->arena = upb_Arena_New();
        fixture->table = node_table_new(fixture->arena);
        *state = fixture;
        return fixture->table ? 0 : -1;
}

static int teardown(void **state)
{
        struct fixture *fixture = *state;

        upb_Arena_Free(fixture->arena);
        free(fixture);
        return 0;
}

static const upb_MiniTableField *field(struct fixture *fixture, uint32_t number)
{
        return upb_MiniTable_FindFieldByNumber(fixture->table, number);
}

static void set_bytes(
        struct fixture *f, upb_Message *node, uint32_t number, const void *data, size_t size)
{
        upb_Message_SetBaseFieldString(
                node, field(f, number), upb_StringView_FromDataAndSize(data, size));
}

static upb_StringView get_bytes(struct fixture *fixture, const upb_Message *node, uint32_t number)
{
        return upb_Message_GetString(node, field(fixture, number), upb_StringView_FromString(""));
}

static void add_child(struct fixture *fixture, upb_Message *node, upb_Message *child)
{
        upb_Array *children = upb_Message_GetOrCreateMutableArray(
                node, field(fixture, NODE_CHILDREN), fixture->arena);

        assert_true(
                upb_Array_Append(children, (upb_MessageValue){ .msg_val = child }, fixture->arena));
}

static upb_Message *node_new(struct fixture *fixture)
{
        return upb_Message_New(fixture->table, fixture->arena);
}

/* The bytes of @node, without a prefix, in the fixture's arena. */
static uint8_t *encode(struct fixture *fixture, const upb_Message *node, size_t *ret_size)
{
        struct owner owner = {
                .encoder.bytes_max = SIZE_MAX, .block_bytes_max = 1000, .blocks_left = SIZE_MAX
        };
        uint8_t *bytes = NULL, *copy;
        size_t size;

        assert_int_equal(owner_encode(&owner, node, fixture->table, &bytes, &size), 0);
        *ret_size = size - FRAMING_PREFIX_BYTES;
        copy = upb_Arena_Malloc(fixture->arena, size);
        memcpy(copy, bytes + FRAMING_PREFIX_BYTES, *ret_size);
        free(bytes);
        return copy;
}

/* A chain of @depth nodes, one inside the other. */
static upb_Message *chain_new(struct fixture *fixture, size_t depth)
{
        upb_Message *node = node_new(fixture);

        while (--depth) {
                upb_Message *parent = node_new(fixture);

                add_child(fixture, parent, node);
                node = parent;
        }
        return node;
}

static void test_decode(void **state)
{
        static const uint8_t wire[] = "\x0a\x05quoit\x10\x96\x01\x1a\x02\xff\xfe\x2a\x01?";
        struct fixture *f = *state;
        upb_Message *node;
        upb_StringView name, blob;

        assert_int_equal(
                message_decode(wire, sizeof(wire) - 1, f->table, NULL, f->arena, &node, NULL), 0);
        name = get_bytes(f, node, NODE_NAME);
        assert_int_equal(name.size, 5);
        assert_ptr_equal(name.data, wire + 2); /* aliased, not copied */
        assert_int_equal(upb_Message_GetInt64(node, field(f, NODE_ID), 0), 150);
        blob = get_bytes(f, node, NODE_BLOB);
        assert_memory_equal(blob.data, "\xff\xfe", 2);
}

static void test_decode_empty(void **state)
{
        struct fixture *f = *state;
        upb_Message *node = NULL;

        assert_int_equal(
                message_decode((const uint8_t *)"", 0, f->table, NULL, f->arena, &node, NULL), 0);
        assert_non_null(node);
        assert_int_equal(get_bytes(f, node, NODE_NAME).size, 0);
}

static int decode_string(struct fixture *f, const char *wire, size_t size)
{
        upb_Message *const untouched = (upb_Message *)f, *node = untouched;
        int r = message_decode((const uint8_t *)wire, size, f->table, NULL, f->arena, &node, NULL);

        assert_true(r == 0 ? node != untouched : node == untouched);
        return r;
}

static void test_decode_malformed(void **state)
{
        struct fixture *f = *state;

        assert_int_equal(decode_string(f, "\x0a\x05quo", 5), -EBADMSG);     /* cut short */
        assert_int_equal(decode_string(f, "\x0a\x02\xc3\x28", 4), -EILSEQ);  /* not UTF-8 */
        assert_int_equal(decode_string(f, "\x1a\x02\xc3\x28", 4), 0);        /* bytes may */
        assert_int_equal(decode_string(f, "\x00\x00", 2), -EBADMSG);         /* field 0 */
        assert_int_equal(decode_string(f, "\x0c", 1), -EBADMSG);             /* stray end group */
        assert_int_equal(
                decode_string(f, "\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12), -EBADMSG);
        assert_int_equal(decode_string(f, "\x0a\xff\xff\xff\xff\x0f", 6), -EBADMSG);
}

static void test_depth(void **state)
{
        struct fixture *f = *state;
        uint8_t *data, *wire;
        size_t size;
        upb_Message *node;

        data = encode(f, chain_new(f, MESSAGE_DEPTH_MAX), &size);
        assert_int_equal(message_decode(data, size, f->table, NULL, f->arena, &node, NULL), 0);

        /* Deeper than the encoder would go: two more levels around what it made. */
        wire = malloc(size + 8);
        for (int i = 0; i < 2; i++) {
                size_t head = size < 128 ? 2 : 3;

                memcpy(wire + head, data, size);
                wire[0] = 0x22;
                wire[1] = (uint8_t)(head == 2 ? size : (size & 127) | 128);
                if (head == 3)
                        wire[2] = (uint8_t)(size >> 7);
                size += head;
                data = upb_Arena_Malloc(f->arena, size);
                memcpy(data, wire, size);
        }
        free(wire);
        assert_int_equal(message_decode(data, size, f->table, NULL, f->arena, &node, NULL), -E2BIG);
}

static void test_no_memory(void **state)
{
        struct fixture *f = *state;
        struct arena_pool pool;
        struct arena full;
        upb_Message *node;

        arena_pool_init(&pool, 0);
        short_memory_begin(&pool, ARENA_BLOCK_BYTES_MIN);
        assert_int_equal(arena_init(&full, &pool, ARENA_BLOCK_BYTES_MIN), 0);
        while (upb_Arena_Malloc(full.upb, 8))
                ;
        assert_int_equal(
                message_decode((const uint8_t *)"", 0, f->table, NULL, full.upb, &node, NULL),
                -ENOMEM);
        arena_deinit(&full);
        arena_pool_deinit(&pool);
}

/* Makes @node a random tree of at most @depth levels below it. */
static void tree_fill(struct fixture *f, upb_Message *node, uint64_t *random, size_t depth)
{
        size_t n_children = depth ? random_upto(random, 4) : 0;
        size_t size = random_upto(random, 40);
        uint8_t *blob = upb_Arena_Malloc(f->arena, size);

        random_fill(random, blob, size);
        set_bytes(f, node, NODE_BLOB, blob, size);
        upb_Message_SetBaseFieldInt64(node, field(f, NODE_ID), (int64_t)random_u64(random));
        for (size_t i = 0; i < n_children; i++) {
                upb_Message *child = node_new(f);

                tree_fill(f, child, random, depth - 1);
                add_child(f, node, child);
        }
}

static bool tree_same(struct fixture *f, const upb_Message *a, const upb_Message *b)
{
        const upb_Array *children_a = upb_Message_GetArray(a, field(f, NODE_CHILDREN));
        const upb_Array *children_b = upb_Message_GetArray(b, field(f, NODE_CHILDREN));
        size_t n = children_a ? upb_Array_Size(children_a) : 0;

        if (!upb_StringView_IsEqual(get_bytes(f, a, NODE_BLOB), get_bytes(f, b, NODE_BLOB)) ||
                upb_Message_GetInt64(a, field(f, NODE_ID), 0) !=
                        upb_Message_GetInt64(b, field(f, NODE_ID), 0) ||
                n != (children_b ? upb_Array_Size(children_b) : 0))
                return false;
        for (size_t i = 0; i < n; i++)
                if (!tree_same(f, upb_Array_Get(children_a, i).msg_val,
                            upb_Array_Get(children_b, i).msg_val))
                        return false;
        return true;
}

static void test_round_trips(void **state)
{
        struct fixture *f = *state;

        for (uint64_t seed = 1; seed <= 300; seed++) {
                uint64_t random = seed;
                upb_Message *tree = node_new(f), *back;
                uint8_t *data;
                size_t size;

                tree_fill(f, tree, &random, 4);
                data = encode(f, tree, &size);
                assert_int_equal(
                        message_decode(data, size, f->table, NULL, f->arena, &back, NULL), 0);
                if (!tree_same(f, tree, back))
                        fail_msg("seed %d", (int)seed);
        }
}

/* Unknown fields survive a trip through a type that does not know them. */
static void test_unknown_fields_are_kept(void **state)
{
        static const uint8_t wire[] = "\x10\x01\x2a\x03new";
        struct fixture *f = *state;
        upb_Message *node;
        uint8_t *data;
        size_t size;

        assert_int_equal(
                message_decode(wire, sizeof(wire) - 1, f->table, NULL, f->arena, &node, NULL), 0);
        data = encode(f, node, &size);
        assert_int_equal(size, sizeof(wire) - 1);
        assert_memory_equal(data, wire, size);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_decode, setup, teardown),
                cmocka_unit_test_setup_teardown(test_decode_empty, setup, teardown),
                cmocka_unit_test_setup_teardown(test_decode_malformed, setup, teardown),
                cmocka_unit_test_setup_teardown(test_depth, setup, teardown),
                cmocka_unit_test_setup_teardown(test_no_memory, setup, teardown),
                cmocka_unit_test_setup_teardown(test_round_trips, setup, teardown),
                cmocka_unit_test_setup_teardown(test_unknown_fields_are_kept, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
