/* SPDX-License-Identifier: MIT */
#include "harness.h"

#include <errno.h>

#include "../codec/node.h"
#include "../codec/owner.h"
#include "upb/message/accessors.h"
#include "upb/message/array.h"

#define LIMIT ((size_t)100000)

/* A call that streams to a client, and the bytes that it must send. */
struct sender {
        struct bench *bench;
        struct quoit_call *call;
        upb_Arena *arena;
        const upb_MiniTable *table;
        uint8_t expected[400000];
        size_t expected_bytes;
        unsigned in_place; /* messages that needed no buffer */
};

/* A call of a method that answers with nodes. */
static struct quoit_call *node_call(struct sender *sender, quoit_method_kind kind)
{
        struct quoit_call *call = bench_call(sender->bench, kind);
        quoit_method *method = upb_Arena_Malloc(sender->arena, sizeof(*method));
        struct route *route = upb_Arena_Malloc(sender->arena, sizeof(*route));

        *method = *call->request.route->method;
        method->reply = sender->table;
        *route = (struct route){ .method = method };
        call->request.route = route;
        return call;
}

static struct sender *sender_new(void)
{
        struct sender *sender = calloc(1, sizeof(*sender));

        assert_non_null(sender);
        sender->bench = bench_new();
        sender->bench->limits.message_send_bytes_max = LIMIT;
        sender->arena = upb_Arena_New();
        sender->table = node_table_new(sender->arena);
        sender->call = node_call(sender, QUOIT_SERVER_STREAMING);
        return sender;
}

static void sender_free(struct sender *sender)
{
        bench_close(sender->call);
        bench_free(sender->bench);
        upb_Arena_Free(sender->arena);
        free(sender);
}

/* A node with a blob of @size bytes. */
static upb_Message *node_new(struct sender *sender, size_t size, uint64_t seed)
{
        upb_Message *node = upb_Message_New(sender->table, sender->arena);
        char *data = upb_Arena_Malloc(sender->arena, size + 1);

        random_fill(&seed, data, size);
        upb_Message_SetBaseFieldInt64(
                node, upb_MiniTable_FindFieldByNumber(sender->table, NODE_ID), (int64_t)seed);
        upb_Message_SetBaseFieldString(node,
                upb_MiniTable_FindFieldByNumber(sender->table, NODE_BLOB),
                upb_StringView_FromDataAndSize(data, size));
        return node;
}

static void add_child(struct sender *sender, upb_Message *node, upb_Message *child)
{
        upb_Array *children = upb_Message_GetOrCreateMutableArray(
                node, upb_MiniTable_FindFieldByNumber(sender->table, NODE_CHILDREN), sender->arena);

        assert_true(
                upb_Array_Append(children, (upb_MessageValue){ .msg_val = child }, sender->arena));
}

static void send_node(struct sender *sender, const upb_Message *node)
{
        struct owner owner = {
                .encoder.bytes_max = LIMIT, .block_bytes_max = LIMIT, .blocks_left = SIZE_MAX
        };
        unsigned turn = sender->bench->host.copy.turn;
        const struct segment *last = sender->call->exchange.writer.last;
        uint8_t *bytes = NULL;
        size_t size;

        assert_int_equal(quoit_call_send(sender->call, node, sender->table), 0);
        sender->in_place +=
                sender->bench->host.copy.turn == turn && sender->call->exchange.writer.last == last;

        assert_int_equal(owner_encode(&owner, node, sender->table, &bytes, &size), 0);
        assert_true(sender->expected_bytes + size <= sizeof(sender->expected));
        memcpy(sender->expected + sender->expected_bytes, bytes, size);
        sender->expected_bytes += size;
        free(bytes);
        assert_int_equal(sender->call->exchange.writer.queued_bytes, sender->expected_bytes);
        assert_int_equal(sender->bench->group.queued_bytes, sender->expected_bytes);
}

/* Sends the queue by copying, and compares the bytes. */
static void assert_sent(struct sender *sender)
{
        struct output *output = malloc(sizeof(*output));
        size_t sent = 0;

        assert_non_null(output);
        while (sent < sender->expected_bytes) {
                size_t size = sender->expected_bytes - sent;

                if (size > 10000)
                        size = 10000;
                output_init(output, SIZE_MAX);
                writer_write(&sender->call->exchange, output, size);
                for (unsigned i = 0; i < output->iov_count; i++) {
                        assert_memory_equal(output->iov[i].iov_base, sender->expected + sent,
                                output->iov[i].iov_len);
                        sent += output->iov[i].iov_len;
                }
                if (output->pinned_count > 0) {
                        assert_ptr_equal(call_of_stream(output->pinned[0]), sender->call);
                        sender->call->exchange.stream.pins = 0;
                        writer_unpinned(&sender->call->exchange);
                }
        }
        sender->expected_bytes = 0;
        free(output);
}

/* The first message goes into a block; the others are encoded in place after it. */
static void test_in_place(void **state)
{
        struct sender *sender = sender_new();

        (void)state;
        for (unsigned i = 0; i < 1000; i++)
                send_node(sender, node_new(sender, i % 50, i));
        /* all but one for each block, which holds more than a hundred */
        assert_in_range(sender->in_place, 980, 999);
        assert_int_equal(sender->call->exchange.lent.messages_sent, 1000);
        assert_int_equal(sender->call->exchange.lent.bytes_sent,
                sender->expected_bytes - 1000 * (size_t)FRAMING_PREFIX_BYTES);
        assert_int_equal(counter_read(&sender->bench->group.counts.messages_sent), 1000);
        assert_sent(sender);
        sender_free(sender);
}

/* Small and large messages; now and then the queue is sent. */
static void test_of_all_sizes(void **state)
{
        struct sender *sender = sender_new();
        uint64_t random = 3;

        (void)state;
        for (unsigned i = 0; i < 3000; i++) {
                size_t size = random_upto(&random, 1u << random_upto(&random, 13));

                send_node(sender, node_new(sender, size, i));
                if (random_upto(&random, 50) == 0)
                        assert_sent(sender);
        }
        assert_true(sender->in_place > 1000);
        assert_sent(sender);
        sender_free(sender);
}

/* A message that holds others is not encoded in place, nor are those after it. */
static void test_nested(void **state)
{
        struct sender *sender = sender_new();
        upb_Message *parent = node_new(sender, 5, 1);

        (void)state;
        add_child(sender, parent, node_new(sender, 7, 2));
        send_node(sender, parent);
        send_node(sender, node_new(sender, 9, 3));
        assert_int_equal(sender->in_place, 1);
        send_node(sender, parent);
        send_node(sender, node_new(sender, 9, 4));
        send_node(sender, parent);
        assert_int_equal(sender->in_place, 1);
        assert_sent(sender);
        sender_free(sender);
}

/* The limit is exact, also where there would be room. */
static void test_limit(void **state)
{
        struct sender *sender = sender_new();
        upb_Message *small = node_new(sender, 4, 1), *exact = node_new(sender, 60, 2);
        upb_Message *over = node_new(sender, 61, 2);

        (void)state;
        send_node(sender, exact);
        sender->bench->limits.message_send_bytes_max =
                sender->expected_bytes - FRAMING_PREFIX_BYTES;
        assert_sent(sender);
        sender->call->exchange.lent.messages_sent =
                0; /* the limit was computed at the first message */
        send_node(sender, small);
        send_node(sender, small);
        assert_int_equal(sender->in_place, 1);
        send_node(sender, exact);
        assert_int_equal(quoit_call_send(sender->call, over, sender->table), -EMSGSIZE);
        assert_int_equal(sender->call->ring.outcome, QUOIT_RESOURCE_EXHAUSTED);
        sender_free(sender);
}

/* Compressed messages are encoded in a buffer first; so is the only answer of a call. */
static void test_not_in_place(void **state)
{
        struct sender *sender = sender_new();
        struct quoit_call *unary = node_call(sender, QUOIT_UNARY);
        upb_Message *node = node_new(sender, 4, 1);

        (void)state;
        sender->bench->limits.compress_bytes_min = 1000;
        sender->call->exchange.lent.compression = QUOIT_GZIP;
        for (unsigned i = 0; i < 10; i++)
                send_node(sender, node);
        assert_int_equal(sender->in_place, 0);
        assert_sent(sender);

        assert_int_equal(quoit_call_send(unary, node, sender->table), 0);
        assert_int_equal(unary->handler.in_place_bytes_max, 0);
        bench_close(unary);
        sender_free(sender);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_in_place),
                cmocka_unit_test(test_of_all_sizes),
                cmocka_unit_test(test_nested),
                cmocka_unit_test(test_limit),
                cmocka_unit_test(test_not_in_place),
        };

        return cmocka_run_group_tests_name("call/send", tests, NULL, NULL);
}
