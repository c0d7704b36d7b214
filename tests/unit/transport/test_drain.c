/* SPDX-License-Identifier: MIT */
#include "harness.h"

#include <errno.h>
#include <string.h>

static void put_request(struct joint *joint, int32_t id)
{
        static uint8_t bytes[512];
        size_t size = hpack_request(bytes + 9, "/late");

        size += frame_head(bytes, (uint32_t)size, NGHTTP2_HEADERS,
                NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM, id);
        assert_int_equal(joint_feed(joint, bytes, size), 0);
}

/* GOAWAY that names no stream and a PING; its ACK; GOAWAY with the last one; what runs ends; over. */
static void test_two_steps(void **state)
{
        struct joint *joint = joint_new(NULL, 1);
        struct frame_seen frame;

        (void)state;
        joint_request(joint, "/a.B/c", "x", 1, true);
        joint_run(joint);
        session_drain(&joint->server);
        session_drain(&joint->server);
        joint_to_client(joint);
        assert_int_equal(joint_count_frames(joint, NGHTTP2_GOAWAY, 0, &frame), 1);
        assert_int_equal(frame.last_id, INT32_MAX);
        assert_int_equal(frame.code, NGHTTP2_NO_ERROR);
        assert_int_equal(joint_count_frames(joint, NGHTTP2_PING, 0, NULL), 1);

        /* was on its way when the GOAWAY came: still taken */
        put_request(joint, 3);
        assert_int_equal(joint->stream_count, 2);

        /* the ACK: told to whoever drains, and what the peer had queued behind it is taken as well */
        assert_int_equal(joint->server.drain, DRAIN_ANNOUNCED);
        joint_run(joint);
        assert_int_equal(joint->server.drain, DRAIN_ACKNOWLEDGED);
        assert_int_equal(joint_count_frames(joint, NGHTTP2_GOAWAY, 0, NULL), 1);

        session_drain_now(&joint->server);
        joint_run(joint);
        assert_int_equal(joint_count_frames(joint, NGHTTP2_GOAWAY, 0, &frame), 2);
        assert_int_equal(frame.last_id, 3);
        assert_int_equal(frame.code, NGHTTP2_NO_ERROR);
        put_request(joint, 5);
        assert_int_equal(joint->stream_count, 2);
        assert_false(session_is_over(&joint->server));

        joint_answer(joint->streams, "abc", 3);
        joint_run(joint);
        assert_string_equal(joint->calls[0].grpc_status, "0");
        assert_false(session_is_over(&joint->server));
        stream_reset(&joint->streams[1].stream, NGHTTP2_CANCEL);
        joint_run(joint);
        assert_true(session_is_over(&joint->server));
        joint_free(joint);
}

/* Both steps are asked for, and nothing has gone out yet. */
static struct joint *joint_drained_at_once(void)
{
        struct joint *joint = joint_new(NULL, 2);

        joint_run(joint);
        session_drain(&joint->server);
        session_drain_now(&joint->server);
        return joint;
}

/* The peer answers no PING: the second step comes by itself, and once. */
static void test_second_step_without_an_ack(void **state)
{
        struct joint *joint = joint_drained_at_once();
        struct frame_seen frame;

        (void)state;
        session_drain_now(&joint->server);
        joint_to_client(joint);
        assert_int_equal(joint_count_frames(joint, NGHTTP2_GOAWAY, 0, &frame), 2);
        assert_int_equal(frame.last_id, 0);
        joint_run(joint);
        assert_int_equal(joint_count_frames(joint, NGHTTP2_GOAWAY, 0, NULL), 2);
        assert_true(session_is_over(&joint->server));
        joint_free(joint);
}

/* Output is held up behind a slow peer: what came after session_drain_now() was taken, and is not disowned. */
static void test_second_step_names_what_came_before_it_went_out(void **state)
{
        struct joint *joint = joint_drained_at_once();
        struct frame_seen frame;

        (void)state;
        assert_true(session_has_output(&joint->server));
        put_request(joint, 1);
        assert_int_equal(joint->stream_count, 1);
        joint_to_client(joint);
        assert_int_equal(joint_count_frames(joint, NGHTTP2_GOAWAY, 0, &frame), 2);
        assert_int_equal(frame.last_id, 1);
        assert_false(session_is_over(&joint->server));
        put_request(joint, 3);
        assert_int_equal(joint->stream_count, 1);
        joint_free(joint);
}

/* The last GOAWAY has named the newest stream, and waits for room: its client would send again what came after that. */
static void test_second_step_disowns_what_comes_behind_it(void **state)
{
        struct joint *joint = joint_drained_at_once();
        struct frame_seen frame;

        (void)state;
        joint->fill_bytes_max = 1; /* a frame at a time */
        joint_to_client(joint);
        assert_int_equal(joint_count_frames(joint, NGHTTP2_GOAWAY, 0, NULL) +
                                 joint_count_frames(joint, NGHTTP2_PING, 0, NULL),
                1);
        put_request(joint, 1);
        assert_int_equal(joint->stream_count, 0);
        while (joint_to_client(joint) > 0)
                ;
        assert_int_equal(joint_count_frames(joint, NGHTTP2_GOAWAY, 0, &frame), 2);
        assert_int_equal(frame.last_id, 0);
        joint_free(joint);
}

/* The connection ends for a fault meanwhile: no GOAWAY names more than one before it (RFC 9113, section 6.8). */
static void test_a_fault_behind_the_second_step(void **state)
{
        struct joint *joint = joint_drained_at_once();
        struct frame_seen frame;

        (void)state;
        joint->fill_bytes_max = 1; /* a frame at a time */
        joint_to_client(joint);
        put_request(joint, 1);
        session_terminate(&joint->server, NGHTTP2_PROTOCOL_ERROR, "a fault");
        while (joint_to_client(joint) > 0)
                ;
        assert_true(joint_count_frames(joint, NGHTTP2_GOAWAY, 0, &frame) >= 3);
        assert_int_equal(frame.last_id, 0);
        joint_free(joint);
}

/* Wanted before the peer was here: it hears of our SETTINGS first, and of the end when it has taken them. */
static void test_not_before_our_settings_are_acknowledged(void **state)
{
        struct joint *joint = joint_new(NULL, 5);
        struct frame_seen frame;

        (void)state;
        session_drain(&joint->server);
        joint_to_server(joint);
        joint_to_client(joint);
        assert_int_equal(joint_count_frames(joint, NGHTTP2_SETTINGS, 0, NULL), 2); /* and an ACK */
        assert_int_equal(joint_count_frames(joint, NGHTTP2_GOAWAY, 0, NULL), 0);
        assert_int_equal(joint->server.drain, DRAIN_WANTED);

        joint_to_server(joint);
        assert_int_equal(joint->server.drain, DRAIN_ANNOUNCED);
        joint_to_client(joint);
        assert_int_equal(joint_count_frames(joint, NGHTTP2_GOAWAY, 0, &frame), 1);
        assert_int_equal(frame.last_id, INT32_MAX);
        joint_free(joint);
}

/* A PING's ACK that nobody waits for drains nothing. */
static void test_stray_ack(void **state)
{
        struct joint *joint = joint_new(NULL, 3);
        uint8_t ping[17] = { 0 };

        (void)state;
        joint_run(joint);
        frame_head(ping, 8, NGHTTP2_PING, NGHTTP2_FLAG_ACK, 0);
        assert_int_equal(joint_feed(joint, ping, sizeof(ping)), 0);
        joint_run(joint);
        assert_int_equal(joint_count_frames(joint, NGHTTP2_GOAWAY, 0, NULL), 0);
        joint_free(joint);
}

static void test_terminate(void **state)
{
        struct joint *joint = joint_new(NULL, 4);
        struct frame_seen frame;

        (void)state;
        joint_request(joint, "/a.B/c", "x", 1, false);
        joint_run(joint);
        session_terminate(&joint->server, NGHTTP2_ENHANCE_YOUR_CALM, NULL);
        joint_to_client(joint);
        assert_int_equal(joint_count_frames(joint, NGHTTP2_GOAWAY, 0, &frame), 1);
        assert_int_equal(frame.code, NGHTTP2_ENHANCE_YOUR_CALM);
        assert_int_equal(frame.last_id, 1);
        assert_true(session_is_over(&joint->server));
        assert_int_equal(joint_feed(joint, "x", 1), -EPROTO);
        assert_int_equal(joint->streams[0].ends, 0);
        joint_free(joint);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_two_steps),
                cmocka_unit_test(test_second_step_without_an_ack),
                cmocka_unit_test(test_second_step_names_what_came_before_it_went_out),
                cmocka_unit_test(test_second_step_disowns_what_comes_behind_it),
                cmocka_unit_test(test_a_fault_behind_the_second_step),
                cmocka_unit_test(test_not_before_our_settings_are_acknowledged),
                cmocka_unit_test(test_stray_ack),
                cmocka_unit_test(test_terminate),
        };

        return cmocka_run_group_tests_name("transport/drain", tests, NULL, NULL);
}
