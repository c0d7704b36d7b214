/* SPDX-License-Identifier: MIT */

/* Peers that mean no good (PROTOCOL-HTTP2 leaves them to HTTP/2): each costs the connection or the stream. */

#include "harness.h"

#include <errno.h>
#include <string.h>

#define BLOCK_MAX 60000

/* A joint that has exchanged its SETTINGS. */
static struct joint *joint_ready(const quoit_limits *limits)
{
        struct joint *joint = joint_new(limits, 1);

        joint_run(joint);
        return joint;
}

/* HEADERS of @block, END_HEADERS; the fields of a good request in front. */
static size_t put_request(uint8_t *out, int32_t id, const char *path, const uint8_t *more,
        size_t more_size, uint8_t flags)
{
        size_t size = hpack_request(out + 9, path);

        if (more_size > 0)
                memcpy(out + 9 + size, more, more_size);
        size += more_size;
        assert_true(size <= 16384);
        return frame_head(out, (uint32_t)size, NGHTTP2_HEADERS, flags, id) + size;
}

static size_t put_fields(uint8_t *out, unsigned count, const char *value)
{
        size_t size = 0;

        for (unsigned i = 0; i < count; i++)
                size += hpack_field(out + size, "x", value);
        return size;
}

/* After all of it an honest request on the same connection is served. */
static void assert_alive(struct joint *joint, int32_t id)
{
        static uint8_t bytes[1024];
        unsigned count = joint->stream_count;
        size_t size = put_request(
                bytes, id, "/honest", NULL, 0, NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM);

        assert_int_equal(joint_feed(joint, bytes, size), 0);
        assert_int_equal(joint->stream_count, count + 1);
        assert_string_equal(joint->streams[count].path, "/honest");
        assert_int_equal(joint->streams[count].ends, 1);
}

static void test_too_many_fields(void **state)
{
        static uint8_t bytes[BLOCK_MAX], more[BLOCK_MAX];
        quoit_limits limits = joint_limits;
        struct joint *joint;
        size_t size;

        (void)state;
        limits.header_fields_max = 20;
        joint = joint_ready(&limits);
        size = put_request(
                bytes, 1, "/a.B/c", more, put_fields(more, 14, "y"), NGHTTP2_FLAG_END_HEADERS);
        assert_int_equal(joint_feed(joint, bytes, size), 0);
        assert_int_equal(joint->streams[0].fields, 20);
        assert_false(joint->streams[0].oversize);

        size = put_request(
                bytes, 3, "/a.B/c", more, put_fields(more, 15, "y"), NGHTTP2_FLAG_END_HEADERS);
        assert_int_equal(joint_feed(joint, bytes, size), 0);
        assert_int_equal(joint->streams[1].fields, 20);
        assert_true(joint->streams[1].oversize);
        assert_int_equal(joint->streams[1].headers, 1);
        assert_alive(joint, 5);
        joint_free(joint);
}

/* Above the soft limit the block is told to be oversize, above the hard one the stream is reset. */
static void test_too_many_bytes(void **state)
{
        static uint8_t bytes[BLOCK_MAX], more[BLOCK_MAX];
        static const char value[] =
                "0123456789012345678901234567890123456789012345678901234567890123456";
        quoit_limits limits = joint_limits;
        struct frame_seen frame;
        struct joint *joint;
        size_t size;

        (void)state;
        limits.header_bytes_max = 2000;
        limits.header_bytes_hard_max = 4000;
        joint = joint_ready(&limits);
        assert_int_equal(sizeof(value) - 1 + 1 + 32, 100); /* a field */

        size = put_request(
                bytes, 1, "/a.B/c", more, put_fields(more, 16, value), NGHTTP2_FLAG_END_HEADERS);
        assert_int_equal(joint_feed(joint, bytes, size), 0);
        assert_false(joint->streams[0].oversize);
        size = put_request(
                bytes, 3, "/a.B/c", more, put_fields(more, 30, value), NGHTTP2_FLAG_END_HEADERS);
        assert_int_equal(joint_feed(joint, bytes, size), 0);
        assert_true(joint->streams[1].oversize);
        assert_int_equal(joint->streams[1].closes, 0);
        assert_in_range(joint->streams[1].fields, 6 + 16, 6 + 18); /* those that fit */

        size = put_request(
                bytes, 5, "/a.B/c", more, put_fields(more, 60, value), NGHTTP2_FLAG_END_HEADERS);
        assert_int_equal(joint_feed(joint, bytes, size), 0);
        joint_to_client(joint);
        assert_int_equal(joint->streams[2].headers, 0);
        assert_int_equal(joint->streams[2].closes, 1);
        assert_int_equal(joint_count_frames(joint, NGHTTP2_RST_STREAM, 5, &frame), 1);
        assert_int_equal(frame.code, NGHTTP2_ENHANCE_YOUR_CALM);
        assert_alive(joint, 7);
        joint_free(joint);
}

/* The dynamic table is as it was after a block that was cut short. */
static void test_hpack_survives_an_oversize_block(void **state)
{
        static uint8_t bytes[BLOCK_MAX], more[BLOCK_MAX];
        static const char value[] = "01234567890123456789012345678901234567890123456789012345678901"
                                    "2345678901234567890123456789";
        const uint8_t indexed[] = { 0x80 | 62 }; /* the newest entry of the dynamic table */
        quoit_limits limits = joint_limits;
        struct joint *joint;
        size_t more_size, size;

        (void)state;
        limits.header_bytes_max = 1000;
        limits.header_bytes_hard_max = 2000;
        joint = joint_ready(&limits);
        more_size = put_fields(more, 30, value);
        size = hpack_field(more + more_size, "kept", "safe");
        more[more_size] = 0x40; /* with indexing, behind all that was over the limit */
        more_size += size;
        size = put_request(bytes, 1, "/a.B/c", more, more_size, NGHTTP2_FLAG_END_HEADERS);
        assert_int_equal(joint_feed(joint, bytes, size), 0);
        size = put_request(bytes, 3, "/a.B/c", indexed, 1, NGHTTP2_FLAG_END_HEADERS);
        assert_int_equal(joint_feed(joint, bytes, size), 0);
        assert_int_equal(joint->stream_count, 2);
        assert_int_equal(joint->streams[1].fields, 7);
        assert_int_equal(joint->streams[1].headers, 1);
        joint_free(joint);
}

/* CVE-2024-27316, CVE-2024-28182. */
static void test_continuation_flood(void **state)
{
        static uint8_t bytes[BLOCK_MAX];
        struct joint *joint = joint_ready(NULL);
        size_t size = put_request(bytes, 1, "/a.B/c", NULL, 0, NGHTTP2_FLAG_NONE);
        unsigned count;

        (void)state;
        assert_int_equal(joint_feed(joint, bytes, size), 0);
        for (count = 0; count < 1000 && joint->feed_error == 0; count++) {
                size = hpack_field(bytes + 9, "x", "y");
                size += frame_head(
                        bytes, (uint32_t)size, NGHTTP2_CONTINUATION, NGHTTP2_FLAG_NONE, 1);
                joint_feed(joint, bytes, size);
        }
        assert_int_equal(joint->feed_error, -EPROTO);
        assert_in_range(count, joint->limits.continuation_frames_max,
                joint->limits.continuation_frames_max + 1);
        joint_free(joint);
}

/* DATA that moves nothing, bare or padded. */
static size_t put_empty_data(uint8_t *out, bool padded)
{
        size_t size =
                frame_head(out, padded ? 3 : 0, NGHTTP2_DATA, padded ? NGHTTP2_FLAG_PADDED : 0, 1);

        if (!padded)
                return size;
        memcpy(out + size, "\2\0\0", 3);
        return size + 3;
}

/* CVE-2019-9518. One that moves nothing is no crime, a hundred in a row are. */
static void flood_with_empty_data(bool padded)
{
        static uint8_t bytes[BLOCK_MAX];
        struct joint *joint = joint_ready(NULL);
        struct frame_seen frame;
        size_t size = put_request(bytes, 1, "/a.B/c", NULL, 0, NGHTTP2_FLAG_END_HEADERS);

        assert_int_equal(joint_feed(joint, bytes, size), 0);
        for (unsigned round = 0; round < 5; round++) {
                for (unsigned i = 0; i < joint->limits.empty_frames_max; i++)
                        assert_int_equal(
                                joint_feed(joint, bytes, put_empty_data(bytes, padded)), 0);
                size = frame_head(bytes, 1, NGHTTP2_DATA, NGHTTP2_FLAG_NONE, 1);
                bytes[size++] = 'x';
                assert_int_equal(joint_feed(joint, bytes, size), 0);
        }
        assert_int_equal(joint->streams[0].data_size, 5);
        joint_run(joint);
        assert_int_equal(joint->goaway_code, UINT32_MAX);

        size = 0;
        for (unsigned i = 0; i <= joint->limits.empty_frames_max; i++)
                size += put_empty_data(bytes + size, padded);
        /* in the same piece: padding that is longer than its frame, of which nghttp2 is not to see anything */
        size += frame_head(bytes + size, 1, NGHTTP2_DATA, NGHTTP2_FLAG_PADDED, 1);
        bytes[size++] = 9;
        assert_int_equal(session_feed(&joint->server, bytes, size), -EPROTO);
        joint_to_client(joint);
        /* the first one says why */
        assert_int_equal(joint_count_frames(joint, NGHTTP2_GOAWAY, 0, &frame), 2);
        assert_int_equal(frame.code, NGHTTP2_ENHANCE_YOUR_CALM);
        assert_true(session_is_over(&joint->server));
        joint_free(joint);
}

static void test_empty_data_flood(void **state)
{
        (void)state;
        flood_with_empty_data(false);
}

static void test_padding_flood(void **state)
{
        (void)state;
        flood_with_empty_data(true);
}

/* CVE-2023-44487: streams that are reset as fast as they are opened are counted. */
static void test_rapid_reset(void **state)
{
        static uint8_t bytes[BLOCK_MAX];
        struct joint *joint = joint_ready(NULL);

        (void)state;
        for (int32_t id = 1; id < 40; id += 2) {
                size_t size = put_request(bytes, id, "/a.B/c", NULL, 0, NGHTTP2_FLAG_END_HEADERS);

                size += frame_head(bytes + size, 4, NGHTTP2_RST_STREAM, 0, id);
                memcpy(bytes + size, "\0\0\0\x08", 4);
                assert_int_equal(joint_feed(joint, bytes, size + 4), 0);
        }
        assert_int_equal(joint->server.resets, 20);
        joint_free(joint);
}

/* CVE-2025-8671: so are those that the peer makes us reset, by a field that is none, too large a block, a second request. */
static void test_provoked_reset(void **state)
{
        static uint8_t bytes[BLOCK_MAX], more[BLOCK_MAX];
        quoit_limits limits = joint_limits;
        struct joint *joint;
        size_t size;

        (void)state;
        limits.header_bytes_max = limits.header_bytes_hard_max = 1000;
        joint = joint_ready(&limits);
        size = put_request(bytes, 1, "/a.B/c", more, hpack_field(more, "Upper", "case"),
                NGHTTP2_FLAG_END_HEADERS);
        size += put_request(bytes + size, 3, "/a.B/c", more, put_fields(more, 50, "y"),
                NGHTTP2_FLAG_END_HEADERS);
        size += put_request(bytes + size, 5, "/a.B/c", NULL, 0, NGHTTP2_FLAG_END_HEADERS);
        size += put_request(bytes + size, 5, "/a.B/c", NULL, 0, NGHTTP2_FLAG_END_HEADERS);
        assert_int_equal(joint_feed(joint, bytes, size), 0);
        joint->refuse = true;
        size = put_request(bytes, 7, "/a.B/c", NULL, 0, NGHTTP2_FLAG_END_HEADERS);
        assert_int_equal(joint_feed(joint, bytes, size), 0);
        joint_to_client(joint);
        assert_int_equal(joint_count_frames(joint, NGHTTP2_RST_STREAM, -1, NULL), 4);
        assert_int_equal(joint->server.resets, 4);
        joint_free(joint);
}

/* One that was answered before its end is reset for a reason of our own. */
static void test_reset_behind_an_answer(void **state)
{
        static uint8_t bytes[BLOCK_MAX];
        struct joint *joint = joint_ready(NULL);
        struct frame_seen frame;
        size_t size = put_request(bytes, 1, "/a.B/c", NULL, 0, NGHTTP2_FLAG_END_HEADERS);

        (void)state;
        assert_int_equal(joint_feed(joint, bytes, size), 0);
        joint_answer(&joint->streams[0], "x", 1);
        joint_to_client(joint);
        assert_int_equal(joint_count_frames(joint, NGHTTP2_RST_STREAM, 1, &frame), 1);
        assert_int_equal(frame.code, NGHTTP2_NO_ERROR);
        assert_int_equal(joint->server.resets, 0);
        joint_free(joint);
}

/* CVE-2019-9513: what means nothing is skipped, so and so often. */
static void test_priority_flood(void **state)
{
        static uint8_t bytes[64];
        struct joint *joint = joint_ready(NULL);
        struct frame_seen frame;
        unsigned count = 0;

        (void)state;
        while (count < 5000 && !joint_count_frames(joint, NGHTTP2_GOAWAY, 0, &frame)) {
                size_t size = frame_head(bytes, 5, NGHTTP2_PRIORITY, NGHTTP2_FLAG_NONE, 1001);

                memcpy(bytes + size, "\0\0\0\0\x10", 5);
                joint_feed(joint, bytes, size + 5);
                joint_to_client(joint);
                count++;
        }
        assert_int_equal(frame.code, NGHTTP2_ENHANCE_YOUR_CALM);
        assert_in_range(
                count, joint->limits.glitches_burst_max, joint->limits.glitches_burst_max + 10);
        joint_free(joint);
}

/* What is kept until it is whole may not be as long as DATA. */
static void test_long_goaway(void **state)
{
        static uint8_t bytes[64];
        struct joint *joint = joint_ready(NULL);
        size_t size = frame_head(bytes, 16384, NGHTTP2_GOAWAY, NGHTTP2_FLAG_NONE, 0);

        (void)state;
        assert_true(joint->limits.frame_bytes_max > 16385);
        assert_int_equal(joint_feed(joint, bytes, size), 0);
        joint_free(joint);

        joint = joint_ready(NULL);
        size = frame_head(bytes, 16385, NGHTTP2_GOAWAY, NGHTTP2_FLAG_NONE, 0);
        assert_int_equal(joint_feed(joint, bytes, size), -EPROTO);
        joint_to_client(joint);
        assert_int_equal(joint->goaway_code, NGHTTP2_ENHANCE_YOUR_CALM);
        joint_free(joint);
}

/* CVE-2019-9512, CVE-2019-9515: answers that pile up because the peer does not read. */
static void flood_control(uint8_t type, size_t payload_size)
{
        static uint8_t bytes[64];
        struct joint *joint = joint_ready(NULL);
        unsigned count;

        for (count = 0; count < 1000 && joint->feed_error == 0; count++) {
                size_t size = frame_head(bytes, (uint32_t)payload_size, type, NGHTTP2_FLAG_NONE, 0);

                joint_feed(joint, bytes, size + payload_size);
        }
        assert_int_equal(joint->feed_error, -EPROTO);
        assert_in_range(
                count, joint->limits.control_queue_max, joint->limits.control_queue_max + 2);
        joint_free(joint);
}

static void test_ping_flood(void **state)
{
        (void)state;
        flood_control(NGHTTP2_PING, 8);
}

static void test_settings_flood(void **state)
{
        (void)state;
        flood_control(NGHTTP2_SETTINGS, 0);
}

/* All in one piece with the preface: the peer is told why, as it is when they come apart. */
static void test_flood_within_the_first_bytes(void **state)
{
        static uint8_t bytes[NGHTTP2_CLIENT_MAGIC_LEN + 1000 * 9];
        struct joint *joint = joint_new(NULL, 1);
        size_t size = NGHTTP2_CLIENT_MAGIC_LEN;
        struct frame_seen frame;

        (void)state;
        memcpy(bytes, NGHTTP2_CLIENT_MAGIC, size);
        while (size + 9 <= sizeof(bytes))
                size += frame_head(bytes + size, 0, NGHTTP2_SETTINGS, NGHTTP2_FLAG_NONE, 0);
        assert_int_equal(session_feed(&joint->server, bytes, size), -EPROTO);
        assert_true(session_has_output(&joint->server));
        joint_to_client(joint);
        /* the first one says why */
        assert_int_equal(joint_count_frames(joint, NGHTTP2_GOAWAY, 0, &frame), 2);
        assert_int_equal(frame.code, NGHTTP2_ENHANCE_YOUR_CALM);
        joint_free(joint);
}

/* What is no HTTP/2 at all ends the connection, with the first piece or with the last. */
static void test_no_preface(void **state)
{
        static const char request[] = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

        (void)state;
        for (uint64_t seed = 0; seed < 20; seed++) {
                struct joint *joint = joint_new(NULL, seed);

                joint->piece_bytes_max = 1 + seed;
                assert_int_equal(joint_feed(joint, request, sizeof(request) - 1), -EPROTO);
                assert_int_equal(joint->stream_count, 0);
                joint_free(joint);
        }
}

static void test_half_a_preface(void **state)
{
        struct joint *joint = joint_new(NULL, 1);

        (void)state;
        assert_int_equal(joint_feed(joint, "PRI * HTTP/2.0\r\n", 16), 0);
        assert_false(joint->server.settings_received);
        joint_free(joint);
}

/* A request that HTTP forbids costs its stream, not the connection. */
static void test_malformed_request(void **state)
{
        static const char *const bad[][2] = {
                { "Upper", "case" },
                { "connection", "close" },
                { "transfer-encoding", "chunked" },
                { ":path", "/twice" },
                { "x", "a\r\nb" },
                { "content-length", "x" },
        };
        static uint8_t bytes[1024], more[256];
        struct joint *joint = joint_ready(NULL);
        struct frame_seen frame;
        int32_t id = 1;

        (void)state;
        for (unsigned i = 0; i < sizeof(bad) / sizeof(*bad); i++, id += 2) {
                size_t more_size = hpack_field(more, bad[i][0], bad[i][1]);
                size_t size =
                        put_request(bytes, id, "/a.B/c", more, more_size, NGHTTP2_FLAG_END_HEADERS);

                assert_int_equal(joint_feed(joint, bytes, size), 0);
                joint_to_client(joint);
                if (joint_count_frames(joint, NGHTTP2_RST_STREAM, id, &frame) != 1)
                        fail_msg("%s: %s", bad[i][0], bad[i][1]);
                assert_int_equal(frame.code, NGHTTP2_PROTOCOL_ERROR);
                assert_int_equal(joint->streams[joint->stream_count - 1].closes, 1);
                assert_int_equal(joint->streams[joint->stream_count - 1].headers, 0);
        }
        assert_alive(joint, id);
        joint_free(joint);
}

/* The peer may not have more streams open than it was told. */
static void test_too_many_streams(void **state)
{
        static uint8_t bytes[1024];
        quoit_limits limits = joint_limits;
        struct joint *joint;

        (void)state;
        limits.streams_max = 10;
        joint = joint_ready(&limits);
        for (int32_t id = 1; id < 40; id += 2) {
                size_t size = put_request(bytes, id, "/a.B/c", NULL, 0, NGHTTP2_FLAG_END_HEADERS);

                joint_feed(joint, bytes, size);
        }
        assert_int_equal(joint->stream_count, 10);
        joint_to_client(joint);
        assert_true(joint_count_frames(joint, NGHTTP2_RST_STREAM, -1, NULL) +
                            joint_count_frames(joint, NGHTTP2_GOAWAY, -1, NULL) >
                    0);
        joint_free(joint);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_too_many_fields),
                cmocka_unit_test(test_too_many_bytes),
                cmocka_unit_test(test_hpack_survives_an_oversize_block),
                cmocka_unit_test(test_continuation_flood),
                cmocka_unit_test(test_empty_data_flood),
                cmocka_unit_test(test_padding_flood),
                cmocka_unit_test(test_rapid_reset),
                cmocka_unit_test(test_provoked_reset),
                cmocka_unit_test(test_reset_behind_an_answer),
                cmocka_unit_test(test_priority_flood),
                cmocka_unit_test(test_long_goaway),
                cmocka_unit_test(test_ping_flood),
                cmocka_unit_test(test_settings_flood),
                cmocka_unit_test(test_flood_within_the_first_bytes),
                cmocka_unit_test(test_no_preface),
                cmocka_unit_test(test_half_a_preface),
                cmocka_unit_test(test_malformed_request),
                cmocka_unit_test(test_too_many_streams),
        };

        return cmocka_run_group_tests_name("transport/attacks", tests, NULL, NULL);
}
