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
        assert_non_null(message->data);
        assert_int_equal(message->size, size);
        for (size_t i = 0; i < size; i++)
                assert_int_equal(message->data[i], fill);
}

static struct reader_message take(struct quoit_call *call)
{
        struct reader_message message;

        assert_true(reader_take(&call->exchange, &message));
        return message;
}

/* Takes a message, which must be of @size bytes @fill, and frees it. */
static void assert_takes(struct quoit_call *call, size_t size, uint8_t fill)
{
        struct reader_message message = take(call);

        assert_message(&message, size, fill);
        reader_message_free(&message);
}

static void assert_takes_nothing(struct quoit_call *call)
{
        struct reader_message message;

        assert_false(reader_take(&call->exchange, &message));
}

/* The window opens while a message is in progress, not while a whole one waits. */
static void test_window(void **state)
{
        struct bench *bench = bench_new();
        struct quoit_call *call = bench_call(bench, QUOIT_CLIENT_STREAMING);
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

        assert_takes(call, 1000, 'a');
        assert_int_equal(call->exchange.stream.unconsumed_bytes, 0);
        assert_int_equal(bench->group.held_bytes, 500);
        assert_takes_nothing(call);

        assert_int_equal(feed(call, wire + 1403, size - 1403), 0);
        assert_int_equal(call->exchange.reader.messages, 2);
        assert_takes(call, 500, 'b');
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
                assert_takes(call, 10, i);
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
        assert_takes(call, 1, 'a');
        assert_int_equal(quoit_call_read_credits(call), 0);
        assert_false(exchange_has_message(&call->exchange));
        assert_takes_nothing(call);
        assert_int_equal(call->exchange.stream.unconsumed_bytes, size);
        quoit_call_set_read_credits(call, QUOIT_CREDITS_UNLIMITED);
        assert_takes(call, 1, 'b');
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

        (void)state;
        quoit_call_set_read_credits(call, 0);
        assert_int_equal(feed(call, wire, put_message(wire, 1, 'a')), 0);
        assert_takes(call, 1, 'a');
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

/* ---- runs: messages that come in one piece ---- */

/* A run counts with its struct once, and with each message until that is taken. */
static void test_cost_of_a_run(void **state)
{
        struct bench *bench = bench_new();
        struct quoit_call *call = bench_call(bench, QUOIT_BIDI);
        uint8_t wire[256];
        size_t size = put_message(wire, 10, 'a');

        (void)state;
        size += put_message(wire + size, 0, 0);
        size += put_message(wire + size, 20, 'c');
        assert_int_equal(feed(call, wire, size), 0);
        assert_int_equal(call->exchange.reader.messages, 3);
        assert_int_equal(call->exchange.reader.message_bytes, 30);
        assert_int_equal(bench->group.counts.messages_received, 3);
        assert_int_equal(bench->group.held_bytes, sizeof(struct reader_run) + size);
        assert_takes(call, 10, 'a');
        assert_int_equal(bench->group.held_bytes, sizeof(struct reader_run) + size - 15);
        assert_takes(call, 0, 0);
        assert_int_equal(bench->group.held_bytes, sizeof(struct reader_run) + 25);

        /* another one behind it */
        assert_int_equal(feed(call, wire, 15), 0);
        assert_int_equal(bench->group.held_bytes, 2 * sizeof(struct reader_run) + 40);
        assert_takes(call, 20, 'c');
        assert_int_equal(bench->group.held_bytes, sizeof(struct reader_run) + 15);
        assert_takes(call, 10, 'a');
        assert_takes_nothing(call);
        assert_int_equal(bench->group.held_bytes, 0);
        bench_close(call);
        bench_free(bench);
}

/* Credit ends within a run, and comes back. */
static void test_credits_within_a_run(void **state)
{
        struct bench *bench = bench_new();
        struct quoit_call *call = bench_call(bench, QUOIT_BIDI);
        uint8_t wire[256];
        size_t size = 0;

        (void)state;
        for (uint8_t i = 0; i < 5; i++)
                size += put_message(wire + size, i, i);
        quoit_call_set_read_credits(call, 0);
        assert_int_equal(feed(call, wire, size), 0);
        for (uint8_t i = 0; i < 5; i++) {
                assert_takes_nothing(call);
                assert_false(exchange_has_message(&call->exchange));
                assert_int_equal(call->exchange.stream.unconsumed_bytes, size);
                quoit_call_set_read_credits(call, 1);
                assert_takes(call, i, i);
        }
        assert_int_equal(call->exchange.stream.unconsumed_bytes, 0);
        bench_close(call);
        bench_free(bench);
}

#define SENT_COUNT 9

/* Small ones, empty ones, compressed ones and one too large for a run. */
static const struct {
        size_t size;
        bool compressed;
} sent[SENT_COUNT] = {
        { 3, false },
        { 0, false },
        { 7, false },
        { 5, true },
        { 0, true },
        { 2, false },
        { 9000, false },
        { 1, false },
        { 4, false },
};

static size_t put_sent(uint8_t *out)
{
        size_t size = 0;

        for (uint8_t i = 0; i < SENT_COUNT; i++) {
                size_t before = size;

                size += put_message(out + size, sent[i].size, i);
                out[before] = sent[i].compressed;
        }
        return size;
}

/* The messages that were taken, as workers hold them. */
struct taken {
        struct reader_message messages[SENT_COUNT];
        size_t count;
};

static void take_all(struct quoit_call *call, struct taken *taken)
{
        while (taken->count < SENT_COUNT &&
                reader_take(&call->exchange, taken->messages + taken->count))
                taken->count++;
}

/* They are whole as long as they are held, whatever has come and gone since. */
static void check_taken(const struct taken *taken)
{
        for (uint8_t i = 0; i < taken->count; i++) {
                assert_message(taken->messages + i, sent[i].size, i);
                assert_int_equal(taken->messages[i].compression,
                        sent[i].compressed ? QUOIT_GZIP : QUOIT_IDENTITY);
        }
}

/* The first @cut bytes, then the others. @eager: what is there is taken in between. @backwards: the last is freed first. */
static void check_cut(const uint8_t *wire, size_t size, size_t cut, bool eager, bool backwards)
{
        struct bench *bench = bench_new();
        struct quoit_call *call = bench_call(bench, QUOIT_BIDI);
        struct reader *reader = &call->exchange.reader;
        struct taken taken = { .count = 0 };

        reader->compression = QUOIT_GZIP;
        assert_int_equal(feed(call, wire, cut), 0);
        if (eager)
                take_all(call, &taken);
        assert_int_equal(feed(call, wire + cut, size - cut), 0);
        take_all(call, &taken);
        assert_int_equal(taken.count, SENT_COUNT);
        assert_takes_nothing(call);
        check_taken(&taken);
        assert_true(framing_idle(&reader->framing));
        assert_int_equal(reader->messages, SENT_COUNT);
        assert_int_equal(reader->message_bytes, size - SENT_COUNT * FRAMING_PREFIX_BYTES);
        assert_int_equal(bench->group.counts.messages_received, SENT_COUNT);
        assert_int_equal(bench->group.held_bytes, 0);
        assert_int_equal(call->exchange.stream.unconsumed_bytes, 0);
        for (size_t i = 0; i < SENT_COUNT; i++)
                reader_message_free(taken.messages + (backwards ? SENT_COUNT - 1 - i : i));
        bench_close(call);
        bench_free(bench);
}

static void test_every_cut(void **state)
{
        static uint8_t wire[10000];
        size_t size = put_sent(wire);

        (void)state;
        for (size_t cut = 0; cut <= size; cut += cut < 60 || cut > size - 60 ? 1 : 7)
                for (unsigned way = 0; way < 4; way++)
                        check_cut(wire, size, cut, way & 1, way & 2);
}

/* The same byte by byte. */
static void test_single_bytes(void **state)
{
        struct bench *bench = bench_new();
        struct quoit_call *call = bench_call(bench, QUOIT_CLIENT_STREAMING);
        static uint8_t wire[10000];
        size_t size = put_sent(wire);
        struct taken taken = { .count = 0 };

        (void)state;
        call->exchange.reader.compression = QUOIT_GZIP;
        for (size_t i = 0; i < size; i++)
                assert_int_equal(feed(call, wire + i, 1), 0);
        take_all(call, &taken);
        assert_int_equal(taken.count, SENT_COUNT);
        check_taken(&taken);
        for (size_t i = 0; i < SENT_COUNT; i++)
                reader_message_free(taken.messages + i);
        assert_int_equal(bench->group.held_bytes, 0);
        bench_close(call);
        bench_free(bench);
}

/* What is wrong is found behind the messages before it, which are there. */
static void test_errors_behind_a_run(void **state)
{
        static const struct {
                const char *wire;
                size_t size;
                int error;
                uint32_t messages;
        } cases[] = {
                { "\0\0\0\0\1x\0\0\0\0\1x\2\0\0\0\0", 17, -EPROTO, 2 },
                { "\0\0\0\0\1x\0\0\0\0\1x\0\0\x10\0\1", 17, -EMSGSIZE, 2 },
                { "\0\0\0\0\1x\0\0\0\0\1x\1\0\0\0\1x\0\0\0\0\0", 23, -ENOTSUP, 3 },
        };

        (void)state;
        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
                struct bench *bench = bench_new();
                struct quoit_call *call = bench_call(bench, QUOIT_BIDI);

                assert_int_equal(
                        feed(call, (const uint8_t *)cases[i].wire, cases[i].size), cases[i].error);
                assert_int_equal(call->exchange.reader.messages, cases[i].messages);
                assert_takes(call, 1, 'x');
                assert_takes(call, 1, 'x');
                bench_close(call);
                bench_free(bench);
        }
}

/* A run counts whole as soon as it is there, and no longer when it is dropped. */
static void test_limit_within_a_run(void **state)
{
        struct bench *bench = bench_new();
        struct quoit_call *one, *other;
        uint8_t wire[1024];
        size_t size = 0;

        (void)state;
        bench->limits.connection_receive_bytes_max = 2 * sizeof(struct reader_run) + 500;
        one = bench_call(bench, QUOIT_BIDI);
        other = bench_call(bench, QUOIT_BIDI);
        for (uint8_t i = 0; i < 20; i++)
                size += put_message(wire + size, 10, i);
        assert_int_equal(size, 300);
        assert_int_equal(feed(one, wire, size), 0);
        assert_int_equal(feed(other, wire, size), -ENOBUFS);
        bench_close(other);
        assert_int_equal(bench->group.held_bytes, sizeof(struct reader_run) + size);
        for (uint8_t i = 0; i < 7; i++)
                assert_takes(one, 10, i);
        other = bench_call(bench, QUOIT_BIDI);
        assert_int_equal(feed(other, wire, size), 0); /* 195 and 300 */
        bench_close(one);
        assert_int_equal(bench->group.held_bytes, sizeof(struct reader_run) + size);
        bench_close(other);
        bench_free(bench);
}

/* A worker has one message of a run; the call ends; the message is as it was until it is freed. */
static void test_end_within_a_run(void **state)
{
        struct bench *bench = bench_new();
        struct quoit_call *call = bench_call(bench, QUOIT_BIDI);
        struct reader_message held;
        uint8_t wire[1024];
        size_t size = 0;

        (void)state;
        for (uint8_t i = 0; i < 20; i++)
                size += put_message(wire + size, 30, i);
        assert_int_equal(feed(call, wire, size - 3), 0);
        assert_takes(call, 30, 0);
        held = take(call);
        assert_takes(call, 30, 2);
        reader_drop(&call->exchange);
        assert_takes_nothing(call);
        assert_int_equal(bench->group.held_bytes, 30); /* the message in progress */
        assert_message(&held, 30, 1);
        reader_message_free(&held);
        bench_close(call);
        assert_int_equal(bench->group.held_bytes, 0);
        bench_free(bench);
}

/* Memory and what counts of it stay in proportion, also for messages without a byte; runs are as short as a batch is. */
static void test_flood_of_empty_messages(void **state)
{
        struct bench *bench = bench_new();
        struct quoit_call *call = bench_call(bench, QUOIT_BIDI);
        static uint8_t wire[60000]; /* prefixes of empty messages */
        struct reader_message message;
        size_t count = 0, held, used;

        (void)state;
        assert_int_equal(feed(call, wire, sizeof(wire)), 0);
        held = bench->group.held_bytes;
        used = arena_pool_used_bytes(&bench->arenas);
        assert_in_range(held, sizeof(wire) + 7 * sizeof(struct reader_run),
                sizeof(wire) + 9 * sizeof(struct reader_run));
        assert_in_range(used, sizeof(wire), 2 * sizeof(wire));
        while (reader_take(&call->exchange, &message)) {
                assert_message(&message, 0, 0);
                reader_message_free(&message);
                count++;
        }
        assert_int_equal(count, sizeof(wire) / FRAMING_PREFIX_BYTES);
        assert_int_equal(bench->group.held_bytes, 0);
        assert_true(arena_pool_used_bytes(&bench->arenas) < used / 2); /* the last batch */
        bench_close(call);
        bench_free(bench);
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
                cmocka_unit_test(test_cost_of_a_run),
                cmocka_unit_test(test_credits_within_a_run),
                cmocka_unit_test(test_every_cut),
                cmocka_unit_test(test_single_bytes),
                cmocka_unit_test(test_errors_behind_a_run),
                cmocka_unit_test(test_limit_within_a_run),
                cmocka_unit_test(test_end_within_a_run),
                cmocka_unit_test(test_flood_of_empty_messages),
        };

        return cmocka_run_group_tests_name("call/reader", tests, NULL, NULL);
}
