/* SPDX-License-Identifier: MIT */
#include "harness.h"

#include "../codec/short_memory.h"

#include <errno.h>

/* DATA of one message of @size bytes, with its prefix. */
static size_t put_message(uint8_t *out, size_t size, uint8_t fill)
{
        framing_write_prefix(out, false, (uint32_t)size);
        memset(out + FRAMING_PREFIX_BYTES, fill, size);
        return FRAMING_PREFIX_BYTES + size;
}

/* As the session does: received bytes count against the window until they are consumed. */
static int feed(struct quoit_call *call, const uint8_t *data, size_t size)
{
        call->exchange.stream.unconsumed_bytes += (uint32_t)size;
        return reader_feed(&call->exchange, data, size);
}

static void assert_message(const struct reader_message *message, size_t size, uint8_t fill)
{
        assert_non_null(message);
        assert_int_equal(message->size, size);
        for (size_t i = 0; i < size; i++)
                assert_int_equal(message->data[i], fill);
}

/* The window opens while a message is in progress, not while a whole one waits. */
static void test_window(void **state)
{
        struct bench *bench = bench_new();
        struct quoit_call *call = bench_call(bench, QUOIT_CLIENT_STREAMING);
        struct reader_message *message;
        uint8_t wire[4096];
        size_t size = put_message(wire, 1000, 'a');

        (void)state;
        size += put_message(wire + size, 500, 'b');

        assert_int_equal(feed(call, wire, 3), 0);
        assert_int_equal(call->exchange.stream.unconsumed_bytes, 0);
        assert_int_equal(feed(call, wire + 3, 600), 0);
        assert_int_equal(call->exchange.stream.unconsumed_bytes, 0);
        assert_int_equal(call->exchange.reader.held_bytes, 1000);
        assert_int_equal(bench->group.held_bytes, 1000);

        assert_int_equal(
                feed(call, wire + 603, 700), 0); /* the rest of it and the next one's begin */
        assert_true(exchange_has_message(&call->exchange));
        assert_int_equal(call->exchange.stream.unconsumed_bytes, 700);
        assert_int_equal(feed(call, wire + 1303, 100), 0);
        assert_int_equal(call->exchange.stream.unconsumed_bytes, 800);

        message = reader_take(&call->exchange);
        assert_message(message, 1000, 'a');
        reader_message_free(message);
        assert_int_equal(call->exchange.stream.unconsumed_bytes, 0);
        assert_int_equal(bench->group.held_bytes, 500);
        assert_null(reader_take(&call->exchange));

        assert_int_equal(feed(call, wire + 1403, size - 1403), 0);
        assert_int_equal(call->exchange.reader.messages, 2);
        message = reader_take(&call->exchange);
        assert_message(message, 500, 'b');
        reader_message_free(message);
        assert_int_equal(bench->group.held_bytes, 0);
        bench_close(call);
        bench_free(bench);
}

/* All waiting messages must be taken before the window opens. */
static void test_window_with_several_messages(void **state)
{
        struct bench *bench = bench_new();
        struct quoit_call *call = bench_call(bench, QUOIT_BIDI);
        uint8_t wire[4096];
        size_t size = 0;

        (void)state;
        for (uint8_t i = 0; i < 3; i++)
                size += put_message(wire + size, 10, i);
        assert_int_equal(feed(call, wire, size), 0);
        for (uint8_t i = 0; i < 3; i++) {
                struct reader_message *message = reader_take(&call->exchange);

                assert_message(message, 10, i);
                assert_null(message->next);
                reader_message_free(message);
                assert_int_equal(call->exchange.stream.unconsumed_bytes, i < 2 ? size : 0);
        }
        bench_close(call);
        bench_free(bench);
}

static void test_credits(void **state)
{
        struct bench *bench = bench_new();
        struct quoit_call *call = bench_call(bench, QUOIT_BIDI);
        uint8_t wire[64];
        size_t size = put_message(wire, 1, 'a');

        (void)state;
        size += put_message(wire + size, 1, 'b');
        quoit_call_set_read_credits(call, 1);
        assert_int_equal(bench->ready, 1);
        assert_int_equal(feed(call, wire, size), 0);
        reader_message_free(reader_take(&call->exchange));
        assert_int_equal(quoit_call_read_credits(call), 0);
        assert_false(exchange_has_message(&call->exchange));
        assert_null(reader_take(&call->exchange));
        assert_int_equal(call->exchange.stream.unconsumed_bytes, size);
        quoit_call_set_read_credits(call, QUOIT_CREDITS_UNLIMITED);
        reader_message_free(reader_take(&call->exchange));
        assert_int_equal(quoit_call_read_credits(call), QUOIT_CREDITS_UNLIMITED);
        assert_int_equal(call->exchange.stream.unconsumed_bytes, 0);
        bench_close(call);
        bench_free(bench);
}

/* An interceptor can take the credits of any call: a single request is given to its handler all the same. */
static void test_one_message_needs_no_credit(void **state)
{
        struct bench *bench = bench_new();
        struct quoit_call *call = bench_call(bench, QUOIT_UNARY);
        uint8_t wire[64];
        struct reader_message *message;

        (void)state;
        quoit_call_set_read_credits(call, 0);
        assert_int_equal(feed(call, wire, put_message(wire, 1, 'a')), 0);
        message = reader_take(&call->exchange);
        assert_message(message, 1, 'a');
        reader_message_free(message);
        bench_close(call);
        bench_free(bench);
}

/* One limit for all calls of a peer; a message in progress counts whole. */
static void test_group_limit(void **state)
{
        struct bench *bench = bench_new();
        struct quoit_call *one, *other;
        uint8_t wire[1024];

        (void)state;
        bench->limits.connection_receive_bytes_max = 1000;
        one = bench_call(bench, QUOIT_CLIENT_STREAMING);
        other = bench_call(bench, QUOIT_UNARY);
        put_message(wire, 900, 'a');
        assert_int_equal(feed(one, wire, 600), 0);
        assert_int_equal(bench->group.held_bytes, 900);
        assert_int_equal(feed(other, wire, 5), 0);
        assert_int_equal(feed(other, wire + 5, 1), -ENOBUFS);
        bench_close(other);
        assert_int_equal(bench->group.held_bytes, 900);
        assert_int_equal(feed(one, wire + 600, 305), 0);
        bench_close(one);
        bench_free(bench);
}

static void test_errors(void **state)
{
        static const struct {
                const char *wire;
                size_t size;
                int error;
        } cases[] = {
                { "\2\0\0\0\0", 5, -EPROTO },
                { "\0\0\x10\0\1", 5, -EMSGSIZE },
                { "\0\xff\xff\xff\xff", 5, -EMSGSIZE },
                { "\1\0\0\0\1x", 6, -ENOTSUP },
                { "\0\0\0\0\1x\7", 7, 0 },
                { "\0\0\0\0\1x\7\0\0\0\0", 11, -EPROTO },
        };

        (void)state;
        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
                for (quoit_method_kind kind = QUOIT_UNARY; kind <= QUOIT_BIDI; kind++) {
                        struct bench *bench = bench_new();
                        struct quoit_call *call = bench_call(bench, kind);

                        assert_int_equal(feed(call, (const uint8_t *)cases[i].wire, cases[i].size),
                                cases[i].error);
                        bench_close(call);
                        bench_free(bench);
                }
        }
}

static void test_no_memory(void **state)
{
        (void)state;
        for (size_t bytes_max = 1; bytes_max < 15000; bytes_max += 1000) {
                struct bench *bench = bench_new();
                struct quoit_call *call = bench_call(bench, QUOIT_BIDI);
                static uint8_t wire[20000];
                size_t size = put_message(wire, 15000, 'a');
                int r = 0;

                short_memory_begin(&bench->arenas, bytes_max);
                for (size_t at = 0; at < size && r == 0; at += 500)
                        r = feed(call, wire + at, size - at < 500 ? size - at : 500);
                assert_int_equal(r, -ENOMEM);
                bench_close(call);
                bench_free(bench);
        }
}

/* A call that ends with messages that were not taken frees all of them. */
static void test_end_with_messages(void **state)
{
        (void)state;
        for (quoit_method_kind kind = QUOIT_UNARY; kind <= QUOIT_BIDI; kind++) {
                struct bench *bench = bench_new();
                struct quoit_call *call = bench_call(bench, kind);
                uint8_t wire[4096];
                size_t size = put_message(wire, 10, 'a');

                size += put_message(wire + size, 2000, 'b');
                assert_int_equal(feed(call, wire, size - 7), 0);
                bench_close(call);
                bench_free(bench);
        }
}

/* It lies in the call's arena: it counts until that is freed, whether the messages lie there, too, or not. */
static void test_metadata(void **state)
{
        (void)state;
        for (quoit_method_kind kind = QUOIT_UNARY; kind <= QUOIT_BIDI; kind++) {
                struct bench *bench = bench_new();
                struct quoit_call *call = bench_call(bench, kind);
                uint8_t wire[64];
                size_t messages;

                reader_hold_metadata(&call->exchange, 2000);
                reader_hold_metadata(&call->exchange, 6000);
                assert_int_equal(bench->group.held_bytes, 6000);
                assert_int_equal(bench->group.moved_bytes, 6000);
                assert_int_equal(feed(call, wire, put_message(wire, 10, 'a')), 0);
                messages = bench->group.held_bytes - 6000;
                assert_true(messages >= 10);
                reader_release(&call->exchange);
                assert_int_equal(bench->group.held_bytes, call_takes_many(call) ? messages : 0);
                reader_release(&call->exchange);
                reader_drop(&call->exchange);
                assert_int_equal(bench->group.held_bytes, 0);
                bench_close(call);
                bench_free(bench);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_window),
                cmocka_unit_test(test_window_with_several_messages),
                cmocka_unit_test(test_credits),
                cmocka_unit_test(test_one_message_needs_no_credit),
                cmocka_unit_test(test_group_limit),
                cmocka_unit_test(test_errors),
                cmocka_unit_test(test_no_memory),
                cmocka_unit_test(test_end_with_messages),
                cmocka_unit_test(test_metadata),
        };

        return cmocka_run_group_tests_name("call/reader", tests, NULL, NULL);
}
