/* SPDX-License-Identifier: MIT */
#include "harness.h"

#include <errno.h>

#include "../codec/node.h"
#include "../codec/random.h"
#include "../codec/short_memory.h"
#include "call/encoding.h"
#include "codec/framing.h"
#include "upb/message/accessors.h"
#include "upb/message/array.h"
#include "upb/wire/encode.h"

#define LARGE ((size_t)100 << 10)

/* A call and a message in its arena, or in another. */
struct fixture {
        struct bench *bench;
        struct quoit_call *call;
        upb_Arena *elsewhere;
        const upb_MiniTable *table;
        upb_Message *node;
};

static void fixture_init(struct fixture *fixture)
{
        fixture->bench = bench_new();
        fixture->call = bench_call(fixture->bench, QUOIT_UNARY);
        fixture->elsewhere = upb_Arena_New();
        fixture->table = node_table_new(fixture->elsewhere);
        fixture->node = upb_Message_New(fixture->table, call_arena(fixture->call));
        assert_non_null(fixture->node);
}

static void fixture_deinit(struct fixture *fixture)
{
        upb_Arena_Free(fixture->elsewhere);
        bench_close(fixture->call);
        bench_free(fixture->bench);
}

static const upb_MiniTableField *field_of(const struct fixture *fixture, uint32_t number)
{
        return upb_MiniTable_FindFieldByNumber(fixture->table, number);
}

static upb_StringView noise(upb_Arena *arena, size_t size, uint64_t seed)
{
        char *bytes = upb_Arena_Malloc(arena, size);

        assert_non_null(bytes);
        random_fill(&seed, bytes, size);
        return upb_StringView_FromDataAndSize(bytes, size);
}

static void add_child(struct fixture *fixture, upb_Message *child)
{
        upb_Arena *arena = call_arena(fixture->call);
        upb_Array *children = upb_Message_GetOrCreateMutableArray(
                fixture->node, field_of(fixture, NODE_CHILDREN), arena);

        assert_true(upb_Array_Append(children, (upb_MessageValue){ .msg_val = child }, arena));
}

static upb_Message *child_with_blob(struct fixture *fixture, upb_StringView blob)
{
        upb_Message *child = upb_Message_New(fixture->table, call_arena(fixture->call));

        upb_Message_SetBaseFieldString(child, field_of(fixture, NODE_BLOB), blob);
        return child;
}

/* Encodes the node, compares its bytes with upb's, and returns how many bytes are referred to, not copied. */
static size_t referred(struct fixture *fixture)
{
        struct encoding encoding;
        size_t size, bytes = 0;
        char *expected;
        uint8_t *copy;

        assert_int_equal(encoding_init(&encoding, pending_copy_buffer(&fixture->bench->host.copy),
                                 arena_pool_alloc(&fixture->bench->arenas),
                                 &fixture->call->exchange, fixture->node, fixture->table, SIZE_MAX),
                0);
        assert_int_equal(
                upb_Encode(fixture->node, fixture->table, 0, fixture->elsewhere, &expected, &size),
                kUpb_EncodeStatus_Ok);
        assert_int_equal(encoding.size, FRAMING_PREFIX_BYTES + size);
        copy = malloc(encoding.size);
        encoding_copy(&encoding, copy);
        assert_memory_equal(copy + FRAMING_PREFIX_BYTES, expected, size);
        free(copy);
        for (struct segment *segment = encoding.first; segment; segment = segment->next)
                if (segment->release == writer_release_nothing)
                        bytes += segment->size;
        encoding_deinit(&encoding);
        assert_null(encoding.first);
        return bytes;
}

static void test_a_large_string_of_the_arena_stays(void **state)
{
        /* alone, with a field after it, and with a field before it */
        for (unsigned shape = 0; shape < 4; shape++) {
                struct fixture fixture;
                upb_Arena *arena;

                (void)state;
                fixture_init(&fixture);
                arena = call_arena(fixture.call);
                upb_Message_SetBaseFieldString(
                        fixture.node, field_of(&fixture, NODE_BLOB), noise(arena, LARGE, 1));
                if (shape & 1)
                        add_child(&fixture, child_with_blob(&fixture, noise(arena, 3000, 2)));
                if (shape & 2)
                        upb_Message_SetBaseFieldString(fixture.node, field_of(&fixture, NODE_NAME),
                                upb_StringView_FromString("in front"));
                assert_int_equal(referred(&fixture), LARGE);
                fixture_deinit(&fixture);
        }
}

static void test_several_strings_in_one_block(void **state)
{
        struct fixture fixture;
        upb_StringView all;

        (void)state;
        fixture_init(&fixture);
        all = noise(call_arena(fixture.call), 3 * LARGE, 1);
        for (size_t i = 0; i < 3; i++)
                add_child(&fixture,
                        child_with_blob(&fixture,
                                upb_StringView_FromDataAndSize(all.data + i * LARGE, LARGE)));
        assert_int_equal(referred(&fixture), 3 * LARGE);
        fixture_deinit(&fixture);
}

static void test_strings_elsewhere_are_copied(void **state)
{
        struct fixture fixture;

        (void)state;
        fixture_init(&fixture);
        noise(call_arena(fixture.call), LARGE, 1); /* in the arena, but not in the message */
        upb_Message_SetBaseFieldString(
                fixture.node, field_of(&fixture, NODE_BLOB), noise(fixture.elsewhere, LARGE, 2));
        assert_int_equal(referred(&fixture), 0);
        fixture_deinit(&fixture);
}

/* Otherwise a slow reader's small answers would keep large arenas. */
static void test_a_small_part_of_the_arena_is_copied(void **state)
{
        struct fixture fixture;
        upb_StringView all;

        (void)state;
        fixture_init(&fixture);
        all = noise(call_arena(fixture.call), 10 * LARGE, 1);
        upb_Message_SetBaseFieldString(fixture.node, field_of(&fixture, NODE_BLOB),
                upb_StringView_FromDataAndSize(all.data, LARGE));
        assert_int_equal(referred(&fixture), 0);
        fixture_deinit(&fixture);
}

static void test_an_answer_on_its_way_keeps_the_arena(void **state)
{
        struct fixture fixture;
        struct encoding encoding;
        struct output *output = malloc(sizeof(*output));
        struct quoit_call *call;

        (void)state;
        fixture_init(&fixture);
        call = fixture.call;
        upb_Message_SetBaseFieldString(
                fixture.node, field_of(&fixture, NODE_BLOB), noise(call_arena(call), LARGE, 1));
        assert_int_equal(encoding_init(&encoding, pending_copy_buffer(&fixture.bench->host.copy),
                                 arena_pool_alloc(&fixture.bench->arenas), &call->exchange,
                                 fixture.node, fixture.table, SIZE_MAX),
                0);
        assert_int_equal(writer_append(&call->exchange, &encoding), 0);
        call_free_message(call);
        assert_non_null(call->exchange.lent.arena.upb);

        output_init(output, SIZE_MAX);
        writer_write(&call->exchange, output, encoding.size);
        assert_int_equal(call->exchange.writer.queued_bytes, 0);
        assert_int_equal(call->exchange.stream.pins, 1);
        call_free_message(call);
        assert_non_null(call->exchange.lent.arena.upb); /* the output refers to it */

        call->exchange.stream.pins = 0;
        writer_unpinned(&call->exchange);
        call_free_message(call);
        assert_null(call->exchange.lent.arena.upb);
        free(output);
        fixture_deinit(&fixture);
}

/* Whichever allocation fails, nothing is lost and all blocks are freed (fixture_deinit() checks). */
static void test_memory_runs_out(void **state)
{
        size_t failures = 0;

        (void)state;
        for (size_t spare = 0; spare <= 16 << 10; spare += 1 << 10) {
                struct fixture fixture;
                struct encoding encoding;
                int r;

                fixture_init(&fixture);
                upb_Message_SetBaseFieldString(fixture.node, field_of(&fixture, NODE_BLOB),
                        noise(call_arena(fixture.call), LARGE, 1));
                add_child(&fixture, child_with_blob(&fixture, noise(fixture.elsewhere, 3000, 2)));
                short_memory_begin(&fixture.bench->arenas,
                        arena_pool_used_bytes(&fixture.bench->arenas) + spare);
                r = encoding_init(&encoding, pending_copy_buffer(&fixture.bench->host.copy),
                        arena_pool_alloc(&fixture.bench->arenas), &fixture.call->exchange,
                        fixture.node, fixture.table, SIZE_MAX);
                if (r == 0)
                        encoding_deinit(&encoding);
                else
                        assert_int_equal(r, -ENOMEM);
                failures += r < 0;
                short_memory_end(&fixture.bench->arenas);
                fixture_deinit(&fixture);
        }
        assert_in_range(failures, 1, 15);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_a_large_string_of_the_arena_stays),
                cmocka_unit_test(test_several_strings_in_one_block),
                cmocka_unit_test(test_strings_elsewhere_are_copied),
                cmocka_unit_test(test_a_small_part_of_the_arena_is_copied),
                cmocka_unit_test(test_an_answer_on_its_way_keeps_the_arena),
                cmocka_unit_test(test_memory_runs_out),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
