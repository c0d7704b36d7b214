/* SPDX-License-Identifier: MIT */

/* Frames for streams that are not there any more, or not yet; and those that do nobody any good. */

#include "harness.h"

#include <errno.h>
#include <string.h>

#define WINDOW_BYTES 65536 /* joint_limits.stream_window_bytes */
#define STREAMS 8

static struct joint *joint_ready(uint64_t seed)
{
        struct joint *joint = joint_new(NULL, seed);

        joint->piece_bytes_max = 1 + seed * 1000 % 7001;
        joint_run(joint);
        joint->server.glitches.count = 0; /* its SETTINGS */
        joint->server.glitches.updates_due = 0;
        return joint;
}

static int feed_frame(struct joint *joint, uint8_t type, uint8_t flags, int32_t id,
        const void *payload, size_t size)
{
        uint8_t bytes[600];

        frame_head(bytes, (uint32_t)size, type, flags, id);
        if (size > 0)
                memcpy(bytes + 9, payload, size);
        return joint_feed(joint, bytes, 9 + size);
}

static int feed_request(struct joint *joint, int32_t id, uint8_t flags)
{
        uint8_t block[500];

        return feed_frame(joint, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS | flags, id, block,
                hpack_request(block, "/a.B/c"));
}

static int feed_reset(struct joint *joint, int32_t id)
{
        return feed_frame(joint, NGHTTP2_RST_STREAM, 0, id, "\0\0\0\x08", 4);
}

static int feed_update(struct joint *joint, int32_t id)
{
        return feed_frame(joint, NGHTTP2_WINDOW_UPDATE, 0, id, "\0\0\0\1", 4);
}

/* A call that is over on both sides. */
static void close_in_order(struct joint *joint, int32_t id)
{
        unsigned index = joint->stream_count;

        assert_int_equal(feed_request(joint, id, NGHTTP2_FLAG_END_STREAM), 0);
        joint_answer(&joint->streams[index], "x", 1);
        joint_to_client(joint);
        assert_int_equal(joint->streams[index].closes, 1);
        joint->server.glitches.updates_due = 0;
}

/* ---- streams that were never opened ---- */

#ifdef NGHTTP2_HAS_MAX_HEADER_STRING /* as bundled */

/* gRPC C++ sends it for a call that is cancelled before its HEADERS. */
static void test_reset_of_an_idle_stream(void **state)
{
        (void)state;
        for (uint64_t seed = 0; seed < 30; seed++) {
                struct joint *joint = joint_ready(seed);

                assert_int_equal(feed_reset(joint, 1), 0); /* before any, */
                assert_int_equal(feed_request(joint, 3, 0), 0);
                assert_int_equal(feed_reset(joint, 1), 0); /* skipped, */
                assert_int_equal(feed_reset(joint, 7), 0);
                assert_int_equal(feed_reset(joint, INT32_MAX), 0); /* to come, */
                assert_int_equal(feed_reset(joint, 2), 0); /* and never to come */
                assert_int_equal(joint->server.resets, 5);
                assert_int_equal(joint->streams[0].closes, 0);

                /* its number is as good as before */
                assert_int_equal(feed_request(joint, 7, NGHTTP2_FLAG_END_STREAM), 0);
                assert_int_equal(joint->stream_count, 2);
                assert_int_equal(joint->streams[1].ends, 1);
                joint_run(joint);
                assert_int_equal(joint->goaway_code, UINT32_MAX);
                joint_free(joint);
        }
}

static void test_over_the_limit_is_refused(void **state)
{
        struct joint *joint = joint_ready(1);
        struct frame_seen frame;
        int32_t id = 1;

        (void)state;
        for (unsigned i = 0; i < joint_limits.streams_max; i++, id += 2)
                assert_int_equal(feed_request(joint, id, 0), 0);
        for (unsigned i = 0; i < 3; i++, id += 2) {
                assert_int_equal(feed_request(joint, id, 0), 0);
                assert_int_equal(feed_frame(joint, NGHTTP2_DATA, 0, id, "late", 4), 0);
        }
        assert_int_equal(joint->stream_count, joint_limits.streams_max);
        joint_run(joint);
        assert_int_equal(joint_count_frames(joint, NGHTTP2_RST_STREAM, id - 2, &frame), 1);
        assert_int_equal(frame.code, NGHTTP2_REFUSED_STREAM);
        assert_int_equal(joint->goaway_code, UINT32_MAX);
        assert_int_equal(joint->server.resets, 3);
        assert_int_equal(joint->server.glitches.count, 0);
        assert_int_equal(feed_reset(joint, 1), 0);
        assert_int_equal(feed_request(joint, id, 0), 0);
        assert_int_equal(joint->stream_count, joint_limits.streams_max + 1);
        joint_free(joint);
}

#endif

/* Whoever sends these is out of step: RFC 9113, section 5.1, as tonic has it; grpc-go and gRPC C++ ignore some. */
static void test_other_frames_of_idle_streams(void **state)
{
        static const struct {
                uint8_t type;
                size_t size;
        } bad[] = {
                { NGHTTP2_DATA, 4 },
                { NGHTTP2_DATA, 0 },
                { NGHTTP2_WINDOW_UPDATE, 4 },
                { NGHTTP2_CONTINUATION, 4 },
        };

        (void)state;
        for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
                for (int32_t id = 5; id <= 6; id++) {
                        struct joint *joint = joint_ready(i);

                        assert_int_equal(feed_request(joint, 3, 0), 0);
                        (void)feed_frame(joint, bad[i].type, 0, id, "\0\0\0\1", bad[i].size);
                        joint_to_client(joint);
                        assert_int_equal(joint->goaway_code, NGHTTP2_PROTOCOL_ERROR);
                        joint_free(joint);
                }
        }
}

/* A reset that is no reset, or within a header block. */
static void test_resets_that_are_none(void **state)
{
        struct joint *joint = joint_ready(1);

        (void)state;
        (void)feed_frame(joint, NGHTTP2_RST_STREAM, 0, 9, "\0\0\0\0\0", 5);
        joint_to_client(joint);
        assert_int_equal(joint->goaway_code, NGHTTP2_FRAME_SIZE_ERROR);
        joint_free(joint);

        joint = joint_ready(1);
        (void)feed_reset(joint, 0);
        joint_to_client(joint);
        assert_int_equal(joint->goaway_code, NGHTTP2_PROTOCOL_ERROR);
        joint_free(joint);

        joint = joint_ready(1);
        (void)feed_frame(joint, NGHTTP2_HEADERS, 0, 1, "\x83", 1);
        (void)feed_reset(joint, 9);
        joint_to_client(joint);
        assert_int_equal(joint->goaway_code, NGHTTP2_PROTOCOL_ERROR);
        joint_free(joint);
}

/* ---- streams that are over ---- */

#ifdef NGHTTP2_HAS_MAX_HEADER_STRING

static void test_data_behind_the_end_is_counted(void **state)
{
        static const uint8_t padded[] = { 3, 0, 0, 0 };

        (void)state;
        for (uint64_t seed = 0; seed < 10; seed++) {
                struct joint *joint = joint_ready(seed);

                close_in_order(joint, 1);
                assert_int_equal(feed_request(joint, 3, 0), 0);
                assert_int_equal(feed_reset(joint, 3), 0);
                for (int32_t id = 1; id <= 3; id += 2) {
                        assert_int_equal(feed_frame(joint, NGHTTP2_DATA, 0, id, "x", 1), 0);
                        assert_int_equal(feed_frame(joint, NGHTTP2_DATA, 0, id, NULL, 0), 0);
                        assert_int_equal(feed_frame(joint, NGHTTP2_DATA, NGHTTP2_FLAG_END_STREAM,
                                                 id, NULL, 0),
                                0);
                        assert_int_equal(feed_frame(joint, NGHTTP2_DATA, NGHTTP2_FLAG_PADDED, id,
                                                 padded, sizeof(padded)),
                                0);
                }
                assert_int_equal(joint->server.glitches.count, 8);
                joint_free(joint);
        }
}

/* Who has not heard of a reset may fill the window, in frames of a byte if it likes. */
static void test_late_data_is_honest(void **state)
{
        struct joint *joint = joint_ready(9);

        (void)state;
        assert_int_equal(feed_request(joint, 1, 0), 0);
        stream_reset(&joint->streams[0].stream, NGHTTP2_CANCEL);
        for (unsigned i = 0; i < WINDOW_BYTES; i++) {
                assert_int_equal(feed_frame(joint, NGHTTP2_DATA, 0, 1, "x", 1), 0);
                if (i == WINDOW_BYTES / 2)
                        joint_to_client(joint); /* the reset goes out in between */
        }
        assert_int_equal(feed_frame(joint, NGHTTP2_DATA, NGHTTP2_FLAG_END_STREAM, 1, NULL, 0), 0);
        assert_int_equal(joint->server.glitches.count, 0);

        assert_int_equal(feed_frame(joint, NGHTTP2_DATA, 0, 1, "x", 1), 0);
        assert_int_equal(feed_frame(joint, NGHTTP2_DATA, NGHTTP2_FLAG_END_STREAM, 1, NULL, 0), 0);
        assert_int_equal(joint->server.glitches.count, 2);
        joint_free(joint);
}

/* The same for streams that are answered before their end, refused, or reset for a field: many at once. */
static void test_late_data_of_many_streams(void **state)
{
        uint8_t block[500], piece[500] = "";
        struct joint *joint = joint_ready(4);
        size_t size = hpack_request(block, "/a.B/c");

        (void)state;
        size += hpack_field(block + size, "Upper", "case");
        for (int32_t id = 1; id <= 2 * STREAMS; id += 2) {
                unsigned index = joint->stream_count;

                joint->refuse = id % 3 == 0;
                assert_int_equal(feed_request(joint, id, 0), 0);
                if (!joint->refuse)
                        joint_answer(&joint->streams[index], "x", 1);
                joint_to_client(joint);
        }
        for (unsigned i = 0; i < joint_limits.connection_window_bytes / 500; i++) {
                int32_t id = 1 + (int32_t)(i % STREAMS) * 2;

                assert_int_equal(feed_frame(joint, NGHTTP2_DATA, 0, id, piece, 500), 0);
        }
        for (int32_t id = 1; id <= 2 * STREAMS; id += 2)
                assert_int_equal(
                        feed_frame(joint, NGHTTP2_DATA, NGHTTP2_FLAG_END_STREAM, id, NULL, 0), 0);
        assert_int_equal(joint->server.glitches.count, 0);

        joint->refuse = false;
        assert_int_equal(
                feed_frame(joint, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 101, block, size), 0);
        joint_to_client(joint);
        assert_int_equal(feed_frame(joint, NGHTTP2_DATA, 0, 101, piece, 500), 0);
        assert_int_equal(joint->server.glitches.count, 0);
        joint_free(joint);
}

/* Behind the last GOAWAY new streams are not taken, and nor is what is sent on them; the peer may not have read it yet. */
static void test_late_data_behind_goaway(void **state)
{
        struct joint *joint = joint_ready(4);

        (void)state;
        assert_int_equal(feed_request(joint, 1, 0), 0);
        session_drain(&joint->server);
        session_drain_now(&joint->server);
        joint_to_client(joint);
        for (int32_t id = 3; id < 30; id += 2) {
                assert_int_equal(feed_request(joint, id, 0), 0);
                assert_int_equal(feed_frame(joint, NGHTTP2_DATA, 0, id, "late", 4), 0);
        }
        assert_int_equal(joint->stream_count, 1);
        assert_int_equal(joint->server.glitches.count, 0);
        joint_free(joint);
}

#endif

/* ---- what does no good ---- */

/* As many as there are reasons for. */
static void test_window_updates(void **state)
{
        struct joint *joint = joint_ready(3);

        (void)state;
        close_in_order(joint, 1);
        assert_int_equal(feed_update(joint, 0), 0);
        assert_int_equal(feed_update(joint, 1), 0);
        assert_int_equal(joint->server.glitches.count, 2);

        assert_int_equal(feed_request(joint, 3, NGHTTP2_FLAG_END_STREAM), 0);
        joint_answer(&joint->streams[1], joint_bytes(), 8192);
        joint_to_client(joint);
        for (unsigned i = 0; i < 8; i++) { /* a KiB at a time */
                assert_int_equal(feed_update(joint, 0), 0);
                assert_int_equal(feed_update(joint, 3), 0);
        }
        assert_int_equal(joint->server.glitches.count, 2);
        for (unsigned i = 0; i < 1000; i++)
                assert_int_equal(feed_update(joint, 0), 0);
        assert_in_range(joint->server.glitches.count, 950, 1002);
        joint_free(joint);
}

static void test_answers_to_nothing(void **state)
{
        struct joint *joint = joint_ready(3);

        (void)state;
        session_ping(&joint->server);
        joint_run(joint);
        assert_int_equal(joint->server.glitches.count, 0);
        for (unsigned i = 0; i < 10; i++)
                assert_int_equal(
                        feed_frame(joint, NGHTTP2_PING, NGHTTP2_FLAG_ACK, 0, "measured", 8), 0);
        assert_int_equal(joint->server.glitches.count, 10);
        joint_free(joint);
}

static void test_settings_and_goaways(void **state)
{
        struct joint *joint = joint_ready(3);

        (void)state;
        assert_int_equal(feed_request(joint, 1, 0), 0);
        for (unsigned i = 0; i < 10; i++) {
                assert_int_equal(feed_frame(joint, NGHTTP2_SETTINGS, 0, 0, "\0\4\0\1\0\0", 6), 0);
                assert_int_equal(feed_frame(joint, NGHTTP2_GOAWAY, 0, 0, "\0\0\0\0\0\0\0\0", 8), 0);
        }
        assert_int_equal(joint->server.glitches.count, 20);
        joint_free(joint);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
#ifdef NGHTTP2_HAS_MAX_HEADER_STRING
                cmocka_unit_test(test_reset_of_an_idle_stream),
                cmocka_unit_test(test_over_the_limit_is_refused),
                cmocka_unit_test(test_data_behind_the_end_is_counted),
                cmocka_unit_test(test_late_data_is_honest),
                cmocka_unit_test(test_late_data_of_many_streams),
                cmocka_unit_test(test_late_data_behind_goaway),
#endif
                cmocka_unit_test(test_other_frames_of_idle_streams),
                cmocka_unit_test(test_resets_that_are_none),
                cmocka_unit_test(test_window_updates),
                cmocka_unit_test(test_answers_to_nothing),
                cmocka_unit_test(test_settings_and_goaways),
        };

        return cmocka_run_group_tests_name("transport/glitches", tests, NULL, NULL);
}
