/* SPDX-License-Identifier: MIT */
#include "harness.h"

#include <errno.h>

#include "../codec/node.h"
#include "../codec/random.h"
#include "../codec/short_memory.h"
#include "call/encoding.h"
#include "upb/message/accessors.h"

/* A message whose only field is @size bytes, encoded; @encoding is to be deinitialized. */
static void encode(struct bench *bench, struct encoding *encoding, size_t size, uint64_t seed)
{
        upb_Arena *arena = upb_Arena_New();
        const upb_MiniTable *table = node_table_new(arena);
        upb_Message *node = upb_Message_New(table, arena);
        char *data = upb_Arena_Malloc(arena, size + 1);

        random_fill(&seed, data, size);
        upb_Message_SetBaseFieldString(node, upb_MiniTable_FindFieldByNumber(table, NODE_BLOB),
                upb_StringView_FromDataAndSize(data, size));
        assert_int_equal(encoding_init(encoding, pending_copy_buffer(&bench->host.copy),
                                 arena_pool_alloc(&bench->arenas), NULL, node, table, SIZE_MAX),
                0);
        upb_Arena_Free(arena);
}

/* Queues such a message; returns how many bytes that takes. The bytes are copied to @out, unless that is NULL. */
static size_t append(
        struct bench *bench, struct quoit_call *call, size_t size, uint64_t seed, uint8_t *out)
{
        struct encoding encoding;
        size_t framed_size;

        encode(bench, &encoding, size, seed);
        framed_size = encoding.size;
        if (out)
                encoding_copy(&encoding, out);
        assert_int_equal(writer_append(&call->exchange, &encoding), 0);
        assert_null(encoding.first);
        encoding_deinit(&encoding);
        return framed_size;
}

static struct output *output_new(void)
{
        struct output *output = malloc(sizeof(*output));

        assert_non_null(output);
        output_init(output, SIZE_MAX);
        return output;
}

/* The bytes of an output, in one piece. */
static uint8_t *output_bytes(const struct output *output)
{
        uint8_t *bytes = malloc(output->bytes + 1);
        size_t size = 0;

        for (unsigned i = 0; i < output->iov_count; i++) {
                memcpy(bytes + size, output->iov[i].iov_base, output->iov[i].iov_len);
                size += output->iov[i].iov_len;
        }
        assert_int_equal(size, output->bytes);
        return bytes;
}

/* As session_release() does it. */
static void release(struct output *output)
{
        for (unsigned i = 0; i < output->pinned_count; i++) {
                struct quoit_call *call = call_of_stream(output->pinned[i]);

                if (--call->exchange.stream.pins == 0) {
                        writer_unpinned(&call->exchange);
                        call_release(call);
                }
        }
        free(output);
}

/* Messages of all sizes go out in order, whatever pieces they are cut into. */
static void test_order(void **state)
{
        static const size_t sizes[] = { 5, 100, 4000, 4096, 8191, 8192, 200000, 0, 7, 12000, 1 };

        (void)state;
        for (uint64_t seed = 0; seed < 50; seed++) {
                struct bench *bench = bench_new();
                struct quoit_call *call = bench_call(bench, QUOIT_SERVER_STREAMING);
                static uint8_t all[300000];
                uint64_t random = seed;
                size_t total = 0, sent = 0;

                for (size_t i = 0; i < 11; i++) {
                        total += append(bench, call, sizes[i], seed + i, all + total);
                        assert_int_equal(call->exchange.writer.queued_bytes, total);
                        assert_int_equal(bench->group.queued_bytes, total);
                }
                while (sent < total) {
                        struct output *output = output_new();
                        size_t piece = 1 + random_upto(&random, 16383);
                        uint8_t *bytes;

                        piece = piece < total - sent ? piece : total - sent;
                        writer_write(&call->exchange, output, piece);
                        assert_int_equal(output->bytes, piece);
                        bytes = output_bytes(output);
                        assert_memory_equal(bytes, all + sent, piece);
                        free(bytes);
                        sent += piece;
                        release(output);
                }
                assert_int_equal(call->exchange.writer.queued_bytes, 0);
                assert_int_equal(bench->group.stall.taken_bytes, total);
                assert_null(call->exchange.writer.retired);
                bench_close(call);
                bench_free(bench);
        }
}

/* Small messages are gathered: one of eleven bytes takes eleven bytes of a block. */
static void test_small_ones_share_blocks(void **state)
{
        struct bench *bench = bench_new();
        struct quoit_call *call = bench_call(bench, QUOIT_BIDI);
        struct output *output = output_new();

        (void)state;
        for (size_t i = 0; i < 1000; i++)
                assert_int_equal(append(bench, call, 4, i, NULL), 11);
        assert_true(bench->arenas.used_bytes < 11000 + 3 * 4096);
        writer_write(&call->exchange, output, 11000);
        assert_int_equal(output->iov_count, 1);
        assert_int_equal(output->pinned_count, 0);
        assert_null(call->exchange.writer.first);
        release(output);
        bench_close(call);
        bench_free(bench);
}

/* Written straight into the queue, among messages that are copied there. */
static void test_place(void **state)
{
        struct bench *bench = bench_new();
        struct quoit_call *call = bench_call(bench, QUOIT_SERVER_STREAMING);
        struct output *output = output_new();
        static uint8_t all[400000];
        uint64_t random = 5;
        uint8_t *bytes;
        size_t total = 0;

        (void)state;
        for (unsigned i = 0; i < 60; i++) {
                size_t size = random_upto(&random, WRITER_PLACE_BYTES_MAX - 8);

                if (i % 3 == 0) {
                        total += append(bench, call, size, i, all + total);
                } else {
                        random_fill(&random, all + total, size);
                        memcpy(writer_place(&call->exchange, size), all + total, size);
                        total += size;
                }
                assert_int_equal(bench->group.queued_bytes, total);
        }
        short_memory_begin(&bench->arenas, arena_pool_used_bytes(&bench->arenas));
        while (writer_place(&call->exchange, WRITER_PLACE_BYTES_MAX))
                total += WRITER_PLACE_BYTES_MAX;
        assert_int_equal(call->exchange.writer.queued_bytes, total);
        short_memory_end(&bench->arenas);

        for (size_t at = 0; at < total; at += 10000) {
                size_t size = total - at < 10000 ? total - at : 10000;

                output_init(output, SIZE_MAX);
                writer_write(&call->exchange, output, size);
                bytes = output_bytes(output);
                /* the last places were not written to */
                for (size_t i = 0; i < size && at + i < total - 2 * WRITER_PLACE_BYTES_MAX; i++)
                        assert_int_equal(bytes[i], all[at + i]);
                free(bytes);
        }
        release(output);
        bench_close(call);
        bench_free(bench);
}

/* A large message stays in its blocks, and the output refers to it until the send is over. */
static void test_large_ones_are_taken(void **state)
{
        struct bench *bench = bench_new();
        struct quoit_call *call = bench_call(bench, QUOIT_SERVER_STREAMING);
        struct output *output = output_new();
        static uint8_t all[21000];
        size_t size = append(bench, call, 20000, 1, all);
        const uint8_t *data = call->exchange.writer.first->data;

        (void)state;
        writer_write(&call->exchange, output, 16384);
        assert_true(call->exchange.stream.pins >= 1);
        assert_ptr_equal(output->iov[0].iov_base, data);
        writer_write(&call->exchange, output, size - 16384);
        assert_null(call->exchange.writer.first);
        assert_non_null(call->exchange.writer.retired);
        assert_int_not_equal(bench->arenas.used_bytes, 0);
        release(output);
        assert_null(call->exchange.writer.retired);
        assert_int_equal(bench->arenas.used_bytes, 0);
        bench_close(call);
        bench_free(bench);
}

/* The one message of a call, if it is small, lies in the call's arena. */
static void test_the_only_one_is_placed(void **state)
{
        struct bench *bench = bench_new();
        struct quoit_call *call = bench_call(bench, QUOIT_UNARY);
        struct output *output = output_new();
        size_t size = append(bench, call, 1500, 1, NULL);

        (void)state;
        assert_non_null(call->exchange.lent.arena.upb);
        writer_write(&call->exchange, output, size);
        assert_int_equal(output->pinned_count, 0);
        release(output);
        bench_close(call);
        assert_int_equal(bench->freed, 1);
        bench_free(bench);
}

/* While small messages wait in the arena the handler's end must not free it, however many it has sent. */
static void test_small_ones_keep_the_arena(void **state)
{
        struct bench *bench = bench_new();
        struct quoit_call *call = bench_call(bench, QUOIT_UNARY);
        struct output *output = output_new();

        (void)state;
        for (unsigned i = 0; i < 2; i++)
                memset(writer_place(&call->exchange, 1500), 'a', 1500);
        call_free_message(call);
        assert_non_null(call->exchange.lent.arena.upb);
        writer_write(&call->exchange, output, 3000);
        for (size_t i = 0; i < 3000; i++)
                assert_int_equal(((uint8_t *)output->iov[0].iov_base)[i], 'a');
        call_free_message(call);
        assert_null(call->exchange.lent.arena.upb);
        release(output);
        bench_close(call);
        bench_free(bench);
}

/* A large one keeps its blocks, and the call lives until the send is over, also without peer and handler. */
static void test_the_only_one_is_taken(void **state)
{
        struct bench *bench = bench_new();
        struct quoit_call *call = bench_call(bench, QUOIT_UNARY);
        struct output *output = output_new();
        static uint8_t all[7000];
        size_t size = append(bench, call, 6000, 1, all);
        const uint8_t *data = call->exchange.writer.first->data;
        uint8_t *bytes;

        (void)state;
        assert_null(call->exchange.lent.arena.upb);
        writer_write(&call->exchange, output, size);
        assert_ptr_equal(output->iov[0].iov_base, data);
        bench_close(call);
        assert_int_equal(bench->freed, 0);
        bytes = output_bytes(output);
        assert_memory_equal(bytes, all, size);
        free(bytes);
        release(output);
        assert_int_equal(bench->freed, 1);
        bench_free(bench);
}

/* Dropping a queue frees what is not in flight, and keeps what is. */
static void test_drop_while_in_flight(void **state)
{
        struct bench *bench = bench_new();
        struct quoit_call *call = bench_call(bench, QUOIT_BIDI);
        struct output *output = output_new();
        uint8_t *bytes;

        (void)state;
        for (size_t i = 0; i < 4; i++)
                append(bench, call, 9000, i, NULL);
        writer_write(&call->exchange, output, 13500); /* one and a half */
        bytes = output_bytes(output);
        writer_drop(&call->exchange);
        assert_int_equal(call->exchange.writer.queued_bytes, 0);
        assert_int_equal(bench->group.queued_bytes, 0);
        assert_null(call->exchange.writer.first);
        free(bytes);
        bytes = output_bytes(output); /* not freed: AddressSanitizer would report it */
        free(bytes);
        bench_close(call);
        assert_int_equal(bench->freed, 0);
        release(output);
        assert_int_equal(bench->freed, 1);
        bench_free(bench);
}

/* Of messages with the first @count of @sizes, @written bytes were sent: checks what is still sent after a drop. */
static void check_rest(const size_t *sizes, size_t count, size_t written)
{
        struct bench *bench = bench_new();
        struct quoit_call *call = bench_call(bench, QUOIT_SERVER_STREAMING);
        struct output *output = output_new();
        static uint8_t all[200000];
        size_t total = 0, end = 0;
        uint8_t *bytes;

        for (size_t i = 0; i < count; i++) {
                total += append(bench, call, sizes[i], i, all + total);
                if (end < written)
                        end = total; /* of the message that was begun */
        }
        if (written > 0)
                writer_write(&call->exchange, output, written);
        assert_int_equal(writer_drop_unbegun(&call->exchange), end == written);
        assert_int_equal(call->exchange.writer.queued_bytes, end - written);
        assert_int_equal(bench->group.queued_bytes, end - written);
        if (end > written)
                writer_write(&call->exchange, output, end - written);
        assert_null(call->exchange.writer.first);
        bytes = output_bytes(output);
        assert_memory_equal(bytes, all, end);
        free(bytes);
        release(output);
        bench_close(call);
        bench_free(bench);
}

/* Of the waiting messages only the begun one stays: trailers must not cut it in two. */
static void test_drop_unbegun(void **state)
{
        static const size_t sizes[] = { 0, 10, 0, 300, 1500, 3000, 30000, 5, 9000, 20000, 1 };
        uint64_t seed = 1;
        size_t small_bytes = 0;

        (void)state;
        for (size_t i = 0; i < 4; i++)
                small_bytes += sizes[i] + 16;
        for (size_t written = 0; written < small_bytes; written++)
                check_rest(sizes, 6, written);
        for (unsigned i = 0; i < 500; i++)
                check_rest(sizes, 11, random_upto(&seed, 63800));
}

/* A message is queued whole or not at all. */
static void test_no_memory(void **state)
{
        (void)state;
        for (size_t more = 0; more < 20000; more += 512) {
                struct bench *bench = bench_new();
                struct quoit_call *call = bench_call(bench, QUOIT_SERVER_STREAMING);
                struct encoding encoding;
                int r;

                encode(bench, &encoding, 2000, 1);
                short_memory_begin(&bench->arenas, more + 1);
                r = writer_append(&call->exchange, &encoding);
                if (r < 0) {
                        assert_int_equal(r, -ENOMEM);
                        assert_int_equal(bench->arenas.used_bytes, 0);
                        assert_int_equal(call->exchange.writer.queued_bytes, 0);
                        assert_null(call->exchange.writer.first);
                } else {
                        assert_int_equal(call->exchange.writer.queued_bytes, encoding.size);
                }
                assert_true(r < 0 ? more < 4096 : more >= 4096 - 1);
                encoding_deinit(&encoding);
                bench_close(call);
                bench_free(bench);
        }
}

/* Writes @size bytes, which are those at @expected. */
static void write_piece(struct quoit_call *call, size_t size, const uint8_t *expected)
{
        struct output *output = output_new();
        uint8_t *bytes;

        writer_write(&call->exchange, output, size);
        bytes = output_bytes(output);
        assert_memory_equal(bytes, expected, size);
        free(bytes);
        release(output);
}

/* What was written is written once more, from its beginning, wherever the first time ended. */
static void test_rewind(void **state)
{
        static const size_t sizes[] = { 5, 100, 4000, 70000, 0, 7 };

        (void)state;
        for (uint64_t seed = 0; seed < 50; seed++) {
                struct bench *bench = bench_new();
                struct quoit_call *call = bench_call(bench, QUOIT_SERVER_STREAMING);
                struct replay_budget budget = { .bytes_max = SIZE_MAX };
                static uint8_t all[100000];
                uint64_t random = seed;
                size_t total = 0;

                writer_keep(&call->exchange.writer, sizeof(all), &budget);
                for (size_t i = 0; i < 6; i++)
                        total += append(bench, call, sizes[i], seed + i, all + total);
                for (unsigned i = 0; i < 4; i++) {
                        size_t sent = seed == 0 ? total : random_upto(&random, total);

                        if (sent > 0)
                                write_piece(call, sent, all);
                        assert_int_equal(bench->group.queued_bytes, total - sent);
                        assert_int_equal(budget.bytes, sent);
                        writer_rewind(&call->exchange);
                        assert_int_equal(budget.bytes, 0);
                        assert_int_equal(bench->group.queued_bytes, total);
                }
                total += append(bench, call, 9, seed, all + total);
                write_piece(call, total, all);
                writer_forget(&call->exchange);
                assert_int_equal(budget.bytes, 0);
                assert_int_equal(bench->arenas.used_bytes, 0);
                bench_close(call);
                bench_free(bench);
        }
}

/* A call that has sent too much is not kept: not even its beginning. */
static void test_too_much_to_rewind(void **state)
{
        struct bench *bench = bench_new();
        struct quoit_call *call = bench_call(bench, QUOIT_SERVER_STREAMING);
        size_t size = append(bench, call, 5000, 1, NULL);
        struct replay_budget budget = { .bytes_max = SIZE_MAX };
        static uint8_t all[6000];

        (void)state;
        writer_drop(&call->exchange);
        writer_keep(&call->exchange.writer, size - 1, &budget);
        append(bench, call, 5000, 1, all);
        write_piece(call, size - 1, all);
        assert_true(writer_can_rewind(&call->exchange.writer));
        write_piece(call, 1, all + size - 1);
        assert_false(writer_can_rewind(&call->exchange.writer));
        assert_int_equal(budget.overruns, 1);
        assert_int_equal(budget.bytes, 0);
        assert_int_equal(bench->arenas.used_bytes, 0);
        bench_close(call);
        bench_free(bench);
}

/* Calls that share a budget: whoever writes beyond it is kept no more, the others are. */
static void test_shared_budget(void **state)
{
        struct bench *bench = bench_new();
        struct quoit_call *one = bench_call(bench, QUOIT_SERVER_STREAMING);
        struct quoit_call *other = bench_call(bench, QUOIT_SERVER_STREAMING);
        struct replay_budget budget = { 0 };
        static uint8_t all[2][6000];
        size_t size;

        (void)state;
        writer_keep(&one->exchange.writer, SIZE_MAX, &budget);
        writer_keep(&other->exchange.writer, SIZE_MAX, &budget);
        size = append(bench, one, 3000, 1, all[0]);
        append(bench, other, 3000, 1, all[1]);
        budget.bytes_max = size + 10;
        write_piece(one, size, all[0]);
        write_piece(other, 10, all[1]);
        assert_true(writer_can_rewind(&other->exchange.writer));
        write_piece(other, size - 10, all[1] + 10);
        assert_true(writer_can_rewind(&one->exchange.writer));
        assert_false(writer_can_rewind(&other->exchange.writer));
        assert_int_equal(budget.overruns, 1);
        assert_int_equal(budget.bytes, size);
        writer_forget(&one->exchange);
        assert_int_equal(budget.bytes, 0);
        bench_close(one);
        bench_close(other);
        bench_free(bench);
}

/* A call without a connection waits with others of its kind, and what it has queued goes with it to its connection. */
static void test_move(void **state)
{
        struct bench *bench = bench_new();
        struct quoit_call *call = bench_call(bench, QUOIT_SERVER_STREAMING);
        struct call_group other = { 0 };
        static uint8_t all[200];
        size_t size = append(bench, call, 100, 1, all);

        (void)state;
        call_group_init(&other, &bench->host, NULL);
        exchange_move(&call->exchange, &other);
        assert_int_equal(bench->group.queued_bytes, 0);
        assert_int_equal(bench->group.count, 0);
        assert_int_equal(other.queued_bytes, size);
        assert_int_equal(other.count, 1);
        exchange_move(&call->exchange, &bench->group);
        write_piece(call, size, all);
        assert_int_equal(other.count + other.queued_bytes, 0);
        bench_close(call);
        bench_free(bench);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_order),
                cmocka_unit_test(test_small_ones_share_blocks),
                cmocka_unit_test(test_place),
                cmocka_unit_test(test_large_ones_are_taken),
                cmocka_unit_test(test_drop_unbegun),
                cmocka_unit_test(test_the_only_one_is_placed),
                cmocka_unit_test(test_small_ones_keep_the_arena),
                cmocka_unit_test(test_the_only_one_is_taken),
                cmocka_unit_test(test_drop_while_in_flight),
                cmocka_unit_test(test_no_memory),
                cmocka_unit_test(test_rewind),
                cmocka_unit_test(test_too_much_to_rewind),
                cmocka_unit_test(test_shared_budget),
                cmocka_unit_test(test_move),
        };

        return cmocka_run_group_tests_name("call/writer", tests, NULL, NULL);
}
