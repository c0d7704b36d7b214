/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "harness.h"
#include "pair.h"

#define GLITCHES_ENOUGH 2000

/* ---- servers that do as they like ---- */

/* A client with a call under way, at a server that has said its SETTINGS and nothing else. */
static struct pair *with_call(const quoit_limits *limits, struct call **ret_call)
{
        struct pair *pair = pair_new(limits, 5);

        *ret_call = pair_request(pair, "/a", "x", 1, false);
        pair_run(pair);
        return pair;
}

static size_t headers(uint8_t *out, uint8_t flags, int32_t id, const char *const *fields)
{
        size_t size = 9;

        for (; *fields; fields += 2)
                size += hpack_field(out + size, fields[0], fields[1]);
        (void)frame_head(out, (uint32_t)size - 9, NGHTTP2_HEADERS,
                (uint8_t)(NGHTTP2_FLAG_END_HEADERS | flags), id);
        return size;
}

#define HEADERS(out, flags, id, ...)                                                               \
        headers((out), (flags), (id), (const char *const[]){ __VA_ARGS__, NULL })

/* What does not end the connection, and what the stream's end then is. */
static void expect_stream_error(
        const uint8_t *bytes, size_t size, uint32_t error_code, const char *rule)
{
        struct call *call;
        struct pair *pair = with_call(NULL, &call);

        assert_int_equal(end_feed(&pair->client, bytes, size), 0);
        pair_run(pair);
        assert_int_equal(pair->client.faults, 0);
        assert_int_equal(call->closes, 1);
        assert_int_equal(call->error_code, error_code);
        if (rule) {
                assert_non_null(pair->client.rule);
                assert_string_equal(pair->client.rule, rule);
        }
        pair_free(pair);
}

static void expect_connection_error(const uint8_t *bytes, size_t size, uint32_t error_code)
{
        struct call *call;
        struct pair *pair = with_call(NULL, &call);

        (void)end_feed(&pair->client, bytes, size);
        pair->server.error = -EPROTO; /* it hears no more */
        while (end_speak(&pair->client))
                ;
        assert_int_equal(pair->client.faults, 1);
        assert_int_equal(pair->client.fault_code, error_code);
        assert_true(session_is_over(&pair->client.session));
        session_deinit(&pair->client.session);
        assert_int_equal(call->closes, 1);
        pair_free(pair);
}

static void test_push(void **state)
{
        uint8_t bytes[256], block[200];
        struct pair *pair = pair_new(NULL, 1);
        size_t size;

        (void)state;
        size = frame_head(bytes, 4, NGHTTP2_PUSH_PROMISE, NGHTTP2_FLAG_END_HEADERS, 1);
        memcpy(bytes + size, "\0\0\0\2", 4);
        size += 4;
        memset(block, 0, sizeof(block));
        bytes[2] = (uint8_t)(4 + hpack_request(block, "/pushed"));
        memcpy(bytes + size, block, bytes[2] - 4u);
        size += bytes[2] - 4u;
        expect_connection_error(bytes, size, NGHTTP2_PROTOCOL_ERROR);
        /* also before our SETTINGS can have been read */
        (void)pair_request(pair, "/a", "x", 1, true);
        (void)end_speak(&pair->client);
        pair->server.error = 0;
        assert_int_equal(end_feed(&pair->client, "\0\0\0\4\0\0\0\0\0", 9), 0);
        assert_int_equal(end_feed(&pair->client, bytes, size), -EPROTO);
        assert_true(pair->client.session.terminated);
        pair_free(pair);
}

static void test_interim(void **state)
{
        struct call *call;
        struct pair *pair = with_call(NULL, &call);
        uint8_t bytes[1024];
        size_t size = HEADERS(bytes, 0, 1, ":status", "103", "x", "early");

        (void)state;
        size += HEADERS(bytes + size, 0, 1, ":status", "100");
        assert_int_equal(end_feed(&pair->client, bytes, size), 0);
        assert_int_equal(call->headers, 0);
        assert_string_equal(call->status, "");
        assert_string_equal(call->x, "");
        size = HEADERS(bytes, 0, 1, ":status", "200", "x", "late");
        size += frame_head(bytes + size, 2, NGHTTP2_DATA, 0, 1);
        memcpy(bytes + size, "hi", 2);
        size += 2;
        size += HEADERS(bytes + size, NGHTTP2_FLAG_END_STREAM, 1, "grpc-status", "0");
        assert_int_equal(end_feed(&pair->client, bytes, size), 0);
        assert_string_equal(call->x, "late");
        assert_int_equal(call->trailers, 1);
        call_assert_body(call, "hi", 2);
        pair_run(pair);
        call_assert_good(call);
        pair_free(pair);
}

/* They cost us something and tell us nothing: whoever has a clock counts them. */
static void test_interim_flood(void **state)
{
        struct call *call;
        struct pair *pair = with_call(NULL, &call);
        uint8_t bytes[128];
        size_t size = HEADERS(bytes, 0, 1, ":status", "100");

        (void)state;
        pair->client.session.glitches.count = 0;
        for (unsigned i = 0; i < 500; i++)
                assert_int_equal(end_feed(&pair->client, bytes, size), 0);
        assert_int_equal(pair->client.session.glitches.count, 500);
        pair_free(pair);
}

static void test_malformed(void **state)
{
        uint8_t bytes[256];
        size_t size;

        (void)state;
        size = HEADERS(bytes, NGHTTP2_FLAG_END_STREAM, 1, ":status", "100");
        expect_stream_error(bytes, size, NGHTTP2_PROTOCOL_ERROR, "");
        size = HEADERS(bytes, 0, 1, "content-type", "application/grpc");
        expect_stream_error(bytes, size, NGHTTP2_PROTOCOL_ERROR, "");
        size = HEADERS(bytes, 0, 1, ":status", "200", ":path", "/");
        expect_stream_error(bytes, size, NGHTTP2_PROTOCOL_ERROR,
                "HTTP/2 has no such pseudo field in responses");
        size = HEADERS(bytes, 0, 1, ":status", "20");
        expect_stream_error(bytes, size, NGHTTP2_PROTOCOL_ERROR,
                "it is there twice, or behind other fields, or has a value that it can't have");
        size = HEADERS(bytes, 0, 1, ":status", "200", "Capital", "x");
        expect_stream_error(bytes, size, NGHTTP2_PROTOCOL_ERROR, "its name has capital letters");
        size = HEADERS(bytes, 0, 1, ":status", "200", "connection", "close");
        expect_stream_error(bytes, size, NGHTTP2_PROTOCOL_ERROR, "it belongs to HTTP/1");
        size = HEADERS(bytes, 0, 1, ":status", "200");
        size += HEADERS(bytes + size, NGHTTP2_FLAG_END_STREAM, 1, ":status", "200");
        expect_stream_error(
                bytes, size, NGHTTP2_PROTOCOL_ERROR, "a pseudo field among the trailers");
        size = HEADERS(bytes, 0, 1, ":status", "200");
        size += HEADERS(bytes + size, 0, 1, "grpc-status", "0");
        expect_stream_error(
                bytes, size, NGHTTP2_PROTOCOL_ERROR, "trailers that do not end the stream");
        size = HEADERS(bytes, NGHTTP2_FLAG_END_STREAM, 1, ":status", "200", "content-length", "5");
        expect_stream_error(bytes, size, NGHTTP2_PROTOCOL_ERROR, NULL);
}

static void test_out_of_place(void **state)
{
        uint8_t bytes[256];
        size_t size;

        (void)state;
        /* DATA before HEADERS */
        size = frame_head(bytes, 1, NGHTTP2_DATA, 0, 1);
        bytes[size++] = 'x';
        expect_connection_error(bytes, size, NGHTTP2_PROTOCOL_ERROR);
        /* streams that the client has not opened, of either parity */
        size = HEADERS(bytes, 0, 3, ":status", "200");
        expect_connection_error(bytes, size, NGHTTP2_PROTOCOL_ERROR);
        size = HEADERS(bytes, 0, 2, ":status", "200");
        expect_connection_error(bytes, size, NGHTTP2_PROTOCOL_ERROR);
        size = frame_head(bytes, 0, NGHTTP2_DATA, 0, 5);
        expect_connection_error(bytes, size, NGHTTP2_PROTOCOL_ERROR);
        size = frame_head(bytes, 4, NGHTTP2_RST_STREAM, 0, 3);
        memcpy(bytes + size, "\0\0\0\7", 4);
        expect_connection_error(bytes, size + 4, NGHTTP2_PROTOCOL_ERROR);
        bytes[8] = 2;
        expect_connection_error(bytes, size + 4, NGHTTP2_PROTOCOL_ERROR);
        /* CONTINUATION without HEADERS, and HEADERS without theirs */
        size = frame_head(bytes, 0, NGHTTP2_CONTINUATION, NGHTTP2_FLAG_END_HEADERS, 1);
        expect_connection_error(bytes, size, NGHTTP2_PROTOCOL_ERROR);
        size = HEADERS(bytes, 0, 1, ":status", "200");
        size += frame_head(bytes + size, 0, NGHTTP2_CONTINUATION, NGHTTP2_FLAG_END_HEADERS, 1);
        expect_connection_error(bytes, size, NGHTTP2_PROTOCOL_ERROR);
        size = HEADERS(bytes, 0, 1, ":status", "200");
        bytes[4] = 0; /* no END_HEADERS */
        size += frame_head(bytes + size, 0, NGHTTP2_DATA, NGHTTP2_FLAG_END_STREAM, 1);
        expect_connection_error(bytes, size, NGHTTP2_PROTOCOL_ERROR);
        /* PRIORITY of the connection */
        size = frame_head(bytes, 5, NGHTTP2_PRIORITY, 0, 0);
        memcpy(bytes + size, "\0\0\0\1\0", 5);
        expect_connection_error(bytes, size + 5, NGHTTP2_PROTOCOL_ERROR);
}

/* HEADERS for a call that has ended in good order. */
static void test_headers_again(void **state)
{
        struct pair *pair = pair_new(NULL, 1);
        struct call *call = pair_request(pair, "/a", "x", 1, true);
        uint8_t bytes[64];

        (void)state;
        pair_run(pair);
        call_answer_only(pair_other(pair, call), "0");
        pair_run(pair);
        call_assert_good(call);
        (void)end_feed(&pair->client, bytes, HEADERS(bytes, 0, 1, ":status", "200"));
        (void)end_speak(&pair->client);
        assert_int_equal(pair->client.fault_code, NGHTTP2_STREAM_CLOSED);
        pair_free(pair);
}

/* ---- what a server can make grow ---- */

static void test_header_limits(void **state)
{
        quoit_limits limits = joint_limits;
        struct call *call;
        struct pair *pair;
        uint8_t bytes[4096];
        size_t size;

        (void)state;
        limits.header_bytes_max = 300;
        limits.header_bytes_hard_max = 400;
        limits.header_fields_max = 5;
        /* too many fields, none of them large: told, the call decides */
        pair = with_call(&limits, &call);
        size = HEADERS(bytes, 0, 1, ":status", "200", "a", "", "b", "", "c", "", "d", "", "x", "6");
        assert_int_equal(end_feed(&pair->client, bytes, size), 0);
        assert_int_equal(call->headers, 1);
        assert_true(call->oversize);
        assert_string_equal(call->x, ""); /* what is over is not handed on */
        call->oversize = false;
        /* trailers have a limit of their own */
        size = HEADERS(
                bytes, NGHTTP2_FLAG_END_STREAM, 1, "a", "", "b", "", "c", "", "grpc-status", "7");
        assert_int_equal(end_feed(&pair->client, bytes, size), 0);
        assert_false(call->oversize);
        assert_string_equal(call->grpc_status, "7");
        pair_free(pair);
        /* far too large: reset, and the connection lives */
        pair = with_call(&limits, &call);
        size = HEADERS(bytes, 0, 1, ":status", "200", "a",
                "1234567890123456789012345678901234567890123456789012345678901234567890123456789012"
                "34567890",
                "b",
                "1234567890123456789012345678901234567890123456789012345678901234567890123456789012"
                "34567890",
                "c",
                "1234567890123456789012345678901234567890123456789012345678901234567890123456789012"
                "34567890");
        assert_int_equal(end_feed(&pair->client, bytes, size), 0);
        pair_run(pair);
        assert_int_equal(call->closes, 1);
        assert_int_equal(call->headers, 0);
        assert_int_equal(call->error_code, NGHTTP2_ENHANCE_YOUR_CALM);
        assert_string_equal(pair->client.rule, SESSION_RULE_LARGE);
        call = pair_request(pair, "/a", "x", 1, true);
        pair_run(pair);
        call_answer_only(pair_other(pair, call), "0");
        pair_run(pair);
        call_assert_good(call);
        pair_free(pair);
}

/* Frames that make us answer, while we can't send: nghttp2 counts what waits. */
static void test_floods(void **state)
{
        static const uint8_t pings[] = { 0, 0, 8, NGHTTP2_PING, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7,
                8 };
        static const uint8_t no_settings[] = { 0, 0, 0, NGHTTP2_SETTINGS, 0, 0, 0, 0, 0 };
        static const struct {
                const uint8_t *frame;
                size_t size;
        } floods[] = { { pings, sizeof(pings) }, { no_settings, sizeof(no_settings) } };

        (void)state;
        for (unsigned i = 0; i < 2; i++) {
                struct call *call;
                struct pair *pair = with_call(NULL, &call);
                unsigned count = 0;

                while (count <= joint_limits.control_queue_max + 1 &&
                        end_feed(&pair->client, floods[i].frame, floods[i].size) == 0)
                        count++;
                assert_int_equal(pair->client.error, -EPROTO);
                assert_true(count >= joint_limits.control_queue_max);
                (void)end_speak(&pair->client);
                assert_int_equal(pair->client.fault_code, NGHTTP2_ENHANCE_YOUR_CALM);
                pair_free(pair);
        }
}

static void test_glitches(void **state)
{
        static const uint8_t priority[] = { 0, 0, 5, NGHTTP2_PRIORITY, 0, 0, 0, 0, 1, 0, 0, 0, 3,
                0 };
        static const uint8_t empty[] = { 0, 0, 0, NGHTTP2_DATA, 0, 0, 0, 0, 1 };
        struct call *call;
        struct pair *pair = with_call(NULL, &call);
        uint8_t bytes[64];

        (void)state;
        for (unsigned i = 0; i < GLITCHES_ENOUGH; i++)
                (void)end_feed(&pair->client, priority, sizeof(priority));
        (void)end_speak(&pair->client);
        assert_int_equal(pair->client.fault_code, NGHTTP2_ENHANCE_YOUR_CALM);
        pair_free(pair);
        pair = with_call(NULL, &call);
        (void)end_feed(&pair->client, bytes, HEADERS(bytes, 0, 1, ":status", "200"));
        for (unsigned i = 0; i < joint_limits.empty_frames_max; i++)
                assert_int_equal(end_feed(&pair->client, empty, sizeof(empty)), 0);
        assert_int_equal(end_feed(&pair->client, empty, sizeof(empty)), -EPROTO);
        (void)end_speak(&pair->client);
        assert_int_equal(pair->client.fault_code, NGHTTP2_ENHANCE_YOUR_CALM);
        pair_free(pair);
        /* DATA for a stream that is over */
        pair = with_call(NULL, &call);
        call_answer_only(pair_other(pair, call), "0");
        pair_run(pair);
        pair->client.session.glitches = (struct glitches){ 0 };
        (void)end_feed(&pair->client, "\0\0\1\0\0\0\0\0\1x", 10);
        assert_int_equal(pair->client.error, 0);
        assert_int_equal(pair->client.session.glitches.count, 1);
        pair_free(pair);
}

/* One for each request is good manners: here the server's own, behind its trailers. */
static void test_resets(void **state)
{
        static const uint8_t reset[] = { 0, 0, 4, NGHTTP2_RST_STREAM, 0, 0, 0, 0, 1, 0, 0, 0, 7 };
        struct call *call;
        struct pair *pair = with_call(NULL, &call);

        (void)state;
        pair->client.session.glitches.count = 0;
        call_answer_only(pair_other(pair, call), "0");
        pair_run(pair);
        assert_int_equal(call->closes, 1);
        assert_int_equal(pair->client.session.glitches.count, 0);
        for (unsigned i = 1; i <= 5; i++) {
                assert_int_equal(end_feed(&pair->client, reset, sizeof(reset)), 0);
                assert_int_equal(pair->client.session.glitches.count, i);
        }
        pair_free(pair);
}

/* More than the window has room for. */
static void test_beyond_the_window(void **state)
{
        quoit_limits limits = joint_limits;
        struct call *call;
        struct pair *pair;
        uint8_t bytes[600] = { 0 };
        size_t size;

        (void)state;
        limits.stream_window_bytes = 500;
        pair = with_call(&limits, &call);
        call->hold = true;
        size = HEADERS(bytes, 0, 1, ":status", "200");
        assert_int_equal(end_feed(&pair->client, bytes, size), 0);
        (void)frame_head(bytes, 501, NGHTTP2_DATA, 0, 1);
        (void)end_feed(&pair->client, bytes, 9 + 501);
        (void)end_speak(&pair->client);
        assert_int_equal(call->data_size, 0);
        assert_int_equal(pair->client.fault_code, NGHTTP2_FLOW_CONTROL_ERROR);
        pair_free(pair);
}

/* ---- servers that do not speak HTTP/2 ---- */

static void test_other_protocols(void **state)
{
        static const char http1[] = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n";
        static const uint8_t alert[] = { 21, 3, 1, 0, 2, 2, 70 };

        (void)state;
        for (size_t piece = 1; piece < sizeof(http1); piece += 7) {
                struct pair *pair = pair_new(NULL, 1);

                pair->piece_bytes_max = piece;
                (void)end_speak(&pair->client);
                pair->client.error = 0;
                (void)end_feed(&pair->client, http1, sizeof(http1) - 1);
                assert_int_equal(pair->client.error, -EPROTO);
                assert_true(pair->client.session.bad_preface);
                assert_true(pair->client.session.beginning_size >= 9);
                assert_memory_equal(
                        pair->client.session.beginning, http1, pair->client.session.beginning_size);
                pair_free(pair);
        }
        /* TLS, which is too short to be judged before the server closes */
        {
                struct pair *pair = pair_new(NULL, 1);

                assert_int_equal(end_feed(&pair->client, alert, sizeof(alert)), 0);
                assert_false(pair->client.session.settings_received);
                assert_int_equal(pair->client.session.beginning_size, sizeof(alert));
                assert_memory_equal(pair->client.session.beginning, alert, sizeof(alert));
                pair_free(pair);
        }
}

/* ---- bytes in pieces ---- */

static void test_split_everywhere(void **state)
{
        static uint8_t wire[PAIR_WIRE_MAX];
        size_t size = pair_record(wire);

        (void)state;
        assert_in_range(size, 150, 1000);
        for (size_t split = 0; split <= size; split++) {
                struct pair *pair = pair_new(NULL, 1);
                struct call *first = pair_request(pair, "/first", "x", 1, true);
                struct call *second = pair_request(pair, "/second", "x", 1, true);
                struct call *third = pair_request(pair, "/third", "x", 1, false);

                pair->server.error = -EPROTO; /* it hears nothing */
                (void)end_speak(&pair->client);
                pair->piece_bytes_max = size + 1;
                if (split > 0)
                        assert_int_equal(session_feed(&pair->client.session, wire, split), 0);
                if (split < size)
                        assert_int_equal(
                                session_feed(&pair->client.session, wire + split, size - split), 0);
                call_assert_good(first);
                call_assert_body(first, "answer", 6);
                assert_int_equal(second->trailers_only, 1);
                assert_string_equal(second->grpc_status, "5");
                assert_int_equal(second->closes, 1);
                assert_int_equal(third->error_code, NGHTTP2_REFUSED_STREAM);
                assert_int_equal(pair->client.goaways, 1);
                assert_int_equal(pair->client.session.pings, 2);
                pair_free(pair);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_push),
                cmocka_unit_test(test_interim),
                cmocka_unit_test(test_interim_flood),
                cmocka_unit_test(test_malformed),
                cmocka_unit_test(test_out_of_place),
                cmocka_unit_test(test_headers_again),
                cmocka_unit_test(test_header_limits),
                cmocka_unit_test(test_floods),
                cmocka_unit_test(test_glitches),
                cmocka_unit_test(test_resets),
                cmocka_unit_test(test_beyond_the_window),
                cmocka_unit_test(test_other_protocols),
                cmocka_unit_test(test_split_everywhere),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
