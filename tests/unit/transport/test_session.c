/* SPDX-License-Identifier: MIT */
#include "harness.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../codec/random.h"

static void assert_body(const uint8_t *data, size_t size, const uint8_t *body, size_t body_size)
{
        assert_int_equal(size, body_size);
        if (size > 0)
                assert_memory_equal(data, body, size);
}

static void assert_answered(const struct client_stream *call, const uint8_t *body, size_t size)
{
        assert_string_equal(call->status, "200");
        assert_string_equal(call->grpc_status, "0");
        assert_true(call->trailers);
        assert_true(call->closed);
        assert_int_equal(call->error_code, NGHTTP2_NO_ERROR);
        assert_body(call->data, call->data_size, body, size);
}

/* One request and its answer, bodies of random sizes, bytes in pieces of every size. */
static void test_unary_in_pieces(void **state)
{
        static const size_t pieces[] = { 1, 2, 9, 10, 100, 20000 };
        const uint8_t *bytes = joint_bytes();

        (void)state;
        for (uint64_t seed = 0; seed < 60; seed++) {
                struct joint *joint = joint_new(NULL, seed);
                size_t up = random_upto(&joint->random, seed % 3 ? 300 : 70000);
                size_t down = random_upto(&joint->random, seed % 2 ? 300 : 70000);
                struct client_stream *call;

                joint->piece_bytes_max = pieces[seed % 6];
                call = joint_request(joint, "/a.B/c", bytes, up, true);
                joint_run(joint);
                assert_int_equal(joint->stream_count, 1);
                assert_string_equal(joint->streams[0].path, "/a.B/c");
                assert_int_equal(joint->streams[0].fields, 6);
                assert_false(joint->streams[0].oversize);
                assert_int_equal(joint->streams[0].ends, 1);
                assert_int_equal(joint->streams[0].closes, 0);
                assert_body(joint->streams[0].data, joint->streams[0].data_size, bytes, up);
                assert_int_equal(joint->streams[0].stream.state, STREAM_HALF_CLOSED_REMOTE);

                joint->streams[0].refer = seed & 1;
                joint_answer(joint->streams, bytes + 1, down);
                joint_run(joint);
                assert_answered(call, bytes + 1, down);
                assert_int_equal(joint->streams[0].error_code, NGHTTP2_NO_ERROR);
                assert_int_equal(joint_count_frames(joint, NGHTTP2_RST_STREAM, -1, NULL), 0);
                joint_free(joint);
        }
}

/* Bodies many windows long, both ways at once, on eight streams. */
static void test_large_on_many_streams(void **state)
{
        const uint8_t *bytes = joint_bytes();

        (void)state;
        for (uint64_t seed = 0; seed < 4; seed++) {
                struct joint *joint = joint_new(NULL, seed);

                for (unsigned i = 0; i < 8; i++)
                        joint_request(joint, "/a.B/c", bytes + i, 600000, true);
                for (unsigned turn = 0; joint->stream_count < 8; turn++) {
                        assert_true(turn < 100);
                        joint_to_server(joint);
                        joint_to_client(joint);
                }
                for (unsigned i = 0; i < 8; i++) {
                        joint->streams[i].refer = i & 1;
                        joint_answer(joint->streams + i, bytes + 100 + i, 400000 + i);
                        joint->streams[i].finish = false; /* would end the upload too */
                }
                joint_run(joint);
                for (unsigned i = 0; i < 8; i++) {
                        joint->streams[i].finish = true;
                        stream_resume(&joint->streams[i].stream);
                }
                joint_run(joint);
                for (unsigned i = 0; i < 8; i++) {
                        assert_body(joint->streams[i].data, joint->streams[i].data_size, bytes + i,
                                600000);
                        assert_answered(joint->calls + i, bytes + 100 + i, 400000 + i);
                        assert_int_equal(joint->streams[i].closes, 1);
                }
                joint_free(joint);
        }
}

static void respond(struct server_stream *stream, bool end)
{
        static const nghttp2_nv fields[] = {
                { (uint8_t *)":status", (uint8_t *)"200", 7, 3, 0 },
                { (uint8_t *)"grpc-status", (uint8_t *)"12", 11, 2, 0 },
        };

        assert_int_equal(stream_respond(&stream->stream, fields, 2, end), 0);
}

static void test_trailers_only(void **state)
{
        struct joint *joint = joint_new(NULL, 1);
        struct client_stream *call = joint_request(joint, "/a.B/c", "x", 1, true);
        struct frame_seen frame;

        (void)state;
        joint_run(joint);
        respond(joint->streams, true);
        joint_run(joint);
        assert_string_equal(call->grpc_status, "12");
        assert_true(call->closed);
        assert_int_equal(joint_count_frames(joint, NGHTTP2_HEADERS, call->id, &frame), 1);
        assert_true(frame.flags & NGHTTP2_FLAG_END_STREAM);
        assert_int_equal(joint_count_frames(joint, NGHTTP2_DATA, -1, NULL), 0);
        joint_free(joint);
}

/* An answer that is complete while the client still sends: RST_STREAM(NO_ERROR) behind the trailers. */
static void test_answer_before_the_client_has_ended(void **state)
{
        struct joint *joint = joint_new(NULL, 2);
        struct client_stream *call = joint_request(joint, "/a.B/c", "abc", 3, false);
        struct frame_seen frame;

        (void)state;
        joint_run(joint);
        assert_int_equal(joint->streams[0].stream.state, STREAM_OPEN);
        joint_answer(joint->streams, "defg", 4);
        joint_run(joint);
        assert_string_equal(call->grpc_status, "0");
        assert_body(call->data, call->data_size, (const uint8_t *)"defg", 4);
        assert_int_equal(joint_count_frames(joint, NGHTTP2_RST_STREAM, call->id, &frame), 1);
        assert_int_equal(frame.code, NGHTTP2_NO_ERROR);
        assert_int_equal(joint->frames[joint->frame_count - 1].type, NGHTTP2_RST_STREAM);
        assert_int_equal(joint->frames[joint->frame_count - 2].type, NGHTTP2_HEADERS);
        assert_int_equal(joint->streams[0].closes, 1);
        assert_int_equal(joint->streams[0].error_code, NGHTTP2_NO_ERROR);
        joint_free(joint);
}

/* Data that comes later than the response headers. */
static void test_resume(void **state)
{
        struct joint *joint = joint_new(NULL, 3);
        struct client_stream *call = joint_request(joint, "/a.B/c", "x", 1, true);
        struct server_stream *stream = joint->streams;

        (void)state;
        joint_run(joint);
        joint_answer(stream, "", 0);
        stream->finish = false;
        joint_run(joint);
        assert_string_equal(call->status, "200");
        assert_false(call->closed);

        stream->body = joint_bytes();
        stream->body_size = 1000;
        stream_resume(&stream->stream);
        joint_run(joint);
        assert_int_equal(call->data_size, 1000);
        assert_false(call->closed);

        stream->finish = true;
        stream_resume(&stream->stream);
        joint_run(joint);
        assert_answered(call, joint_bytes(), 1000);
        joint_free(joint);
}

/* What is not consumed closes its own stream's window and no other's. */
static void test_flow_control(void **state)
{
        struct joint *joint = joint_new(NULL, 4);
        const uint8_t *bytes = joint_bytes();
        struct server_stream *slow = joint->streams;
        uint32_t window = joint->limits.stream_window_bytes;

        (void)state;
        joint->consume = false;
        joint_run(joint);
        joint_request(joint, "/slow", bytes, 3 * window, true);
        joint_run(joint);
        assert_int_equal(slow->data_size, window);
        assert_int_equal(slow->stream.unconsumed_bytes, window);

        joint->consume = true; /* of the next streams */
        for (unsigned i = 1; i <= 6; i++) {
                joint_request(joint, "/fast", bytes, 2 * window, true);
                joint_run(joint);
                assert_int_equal(joint->streams[i].ends, 1);
        }
        assert_int_equal(slow->data_size, window);

        joint->consume = false;
        stream_consume(&slow->stream, window / 2);
        joint_run(joint);
        assert_int_equal(slow->data_size, window + window / 2);
        assert_int_equal(slow->stream.unconsumed_bytes, window);
        joint->consume = true;
        stream_consume(&slow->stream, window);
        joint_run(joint);
        assert_int_equal(slow->ends, 1);
        assert_body(slow->data, slow->data_size, bytes, 3 * window);
        joint_free(joint);
}

static void test_refused_stream(void **state)
{
        struct joint *joint = joint_new(NULL, 5);
        struct client_stream *call = joint_request(joint, "/a.B/c", joint_bytes(), 100000, true);

        (void)state;
        joint->refuse = true;
        joint_run(joint);
        assert_int_equal(joint->stream_count, 0);
        assert_true(call->closed);
        assert_int_equal(call->error_code, NGHTTP2_REFUSED_STREAM);

        /* the connection's window was given back: the next one has all of it */
        joint->refuse = false;
        call = joint_request(joint, "/a.B/c", joint_bytes(), 500000, true);
        joint_run(joint);
        assert_int_equal(joint->streams[0].ends, 1);
        joint_free(joint);
}

/* They may come before the peer can know that it was refused: no fault of the peer's. */
static void test_trailers_of_a_refused_stream(void **state)
{
        static const uint8_t trailers[] = { 0x00, 1, 'x', 1, 'y' };
        struct joint *joint = joint_new(NULL, 5);
        uint8_t bytes[512];
        size_t size = hpack_request(bytes + 9, "/a.B/c"), head;

        (void)state;
        joint_run(joint);
        joint->refuse = true;
        head = frame_head(bytes, (uint32_t)size, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 1);
        assert_int_equal(joint_feed(joint, bytes, head + size), 0);
        head = frame_head(bytes, sizeof(trailers), NGHTTP2_HEADERS,
                NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM, 1);
        memcpy(bytes + head, trailers, sizeof(trailers));
        assert_int_equal(joint_feed(joint, bytes, head + sizeof(trailers)), 0);
        joint_to_client(joint);
        assert_int_equal(joint_count_frames(joint, NGHTTP2_GOAWAY, 0, NULL), 0);
        joint_free(joint);
}

/* It is for who measures to clear it: over TLS there are many feeds in what was received at once. */
static void test_received_bytes_add_up(void **state)
{
        struct joint *joint = joint_new(NULL, 5);

        (void)state;
        for (unsigned i = 1; i <= 3; i++) {
                joint_request(joint, "/a.B/c", "x", 1, true);
                joint_run(joint);
                assert_int_equal(joint->server.received_bytes, i);
        }
        joint_free(joint);
}

static void test_reset_by_the_peer(void **state)
{
        struct joint *joint = joint_new(NULL, 6);
        struct client_stream *call = joint_request(joint, "/a.B/c", "x", 1, false);

        (void)state;
        joint_run(joint);
        joint_answer(joint->streams, joint_bytes(), 500000);
        joint_to_client(joint);
        nghttp2_submit_rst_stream(joint->client, NGHTTP2_FLAG_NONE, call->id, NGHTTP2_CANCEL);
        joint_run(joint);
        assert_int_equal(joint->streams[0].closes, 1);
        assert_int_equal(joint->streams[0].error_code, NGHTTP2_CANCEL);
        /* all of these find nothing to do */
        stream_resume(&joint->streams[0].stream);
        stream_reset(&joint->streams[0].stream, NGHTTP2_CANCEL);
        stream_consume(&joint->streams[0].stream, 0);
        respond(joint->streams, true);
        joint_run(joint);
        joint_free(joint);
}

static void test_reset_by_us(void **state)
{
        struct joint *joint = joint_new(NULL, 7);
        struct client_stream *call = joint_request(joint, "/a.B/c", joint_bytes(), 300000, true);

        (void)state;
        joint->consume = false;
        joint_run(joint);
        stream_reset(&joint->streams[0].stream, NGHTTP2_INTERNAL_ERROR);
        assert_int_equal(joint->streams[0].closes, 0);
        joint_run(joint);
        assert_int_equal(joint->streams[0].closes, 1);
        assert_int_equal(joint->streams[0].error_code, NGHTTP2_INTERNAL_ERROR);
        assert_true(call->closed);
        assert_int_equal(call->error_code, NGHTTP2_INTERNAL_ERROR);
        joint_free(joint);
}

/* Teardown with streams in every state tells each of them once. */
static void test_deinit_with_open_streams(void **state)
{
        struct joint *joint = joint_new(NULL, 8);

        (void)state;
        for (unsigned i = 0; i < 5; i++)
                joint_request(joint, "/a.B/c", joint_bytes(), 1000, i & 1);
        joint_run(joint);
        joint_answer(joint->streams + 1, joint_bytes(), 400000);
        joint_answer(joint->streams + 2, joint_bytes(), 10);
        joint->streams[1].finish = false;
        joint_run(joint);
        session_deinit(&joint->server);
        for (unsigned i = 0; i < 5; i++) {
                assert_int_equal(joint->streams[i].closes, 1);
                assert_null(joint->streams[i].stream.session);
                assert_int_equal(
                        joint->streams[i].error_code, i == 2 ? NGHTTP2_NO_ERROR : NGHTTP2_CANCEL);
        }
        session_deinit(&joint->server); /* takes what is gone */
        joint_free(joint);
}

/* A stream that is over stays pinned until the output that refers to its payload was sent. */
static void test_pins_outlive_the_stream(void **state)
{
        struct joint *joint = joint_new(NULL, 9);
        struct server_stream *stream = joint->streams;
        struct output *output = malloc(sizeof(*output));

        (void)state;
        joint_request(joint, "/a.B/c", "x", 1, true);
        joint_run(joint);
        stream->refer = true;
        joint_answer(stream, joint_bytes(), 40000);
        output_init(output, OUTPUT_BLOCK_BYTES);
        assert_int_equal(session_fill(&joint->server, output), 0);
        assert_int_equal(stream->body_sent, 40000);
        assert_int_equal(stream->closes, 1);
        assert_int_equal(stream->stream.pins, 3);
        assert_int_equal(output->pinned_count, 3);
        assert_int_equal(stream->unpins, 0);
        session_deinit(&joint->server); /* the session may go first */
        session_release(&joint_events, output);
        assert_int_equal(stream->unpins, 1);
        assert_int_equal(stream->stream.pins, 0);
        assert_int_equal(output->pinned_count, 0);
        session_release(&joint_events, output);
        assert_int_equal(stream->unpins, 1);
        free(output);
        joint_free(joint);
}

/* A full output pauses the session: the rest comes in the next, and the bytes are the same. */
static void test_small_outputs(void **state)
{
        static const size_t limits[] = { 1, 10, 5000, 20000, 60000 };
        const uint8_t *bytes = joint_bytes();

        (void)state;
        for (unsigned i = 0; i < sizeof(limits) / sizeof(*limits); i++) {
                struct joint *joint = joint_new(NULL, i);

                joint->fill_bytes_max = limits[i];
                for (unsigned j = 0; j < 3; j++)
                        joint_request(joint, "/a.B/c", "x", 1, true);
                joint_run(joint);
                joint->fills = 0;
                for (unsigned j = 0; j < 3; j++) {
                        joint->streams[j].refer = j == 1;
                        joint_answer(joint->streams + j, bytes + j, 50000);
                }
                joint_run(joint);
                assert_true(joint->fills >= 3);
                for (unsigned j = 0; j < 3; j++)
                        assert_answered(joint->calls + j, bytes + j, 50000);
                joint_free(joint);
        }
}

/* More streams with something to say than an output has places: nothing is lost, no place is overrun. */
static void test_output_with_many_small_answers(void **state)
{
        quoit_limits limits = joint_limits;
        struct joint *joint;

        (void)state;
        limits.streams_max = 60;
        joint = joint_new(&limits, 11);
        joint_run(joint);
        for (unsigned i = 0; i < 60; i++)
                joint_request(joint, "/a.B/c", "x", 1, true);
        joint_run(joint);
        assert_int_equal(joint->stream_count, 60);
        for (unsigned i = 0; i < 60; i++) {
                joint->streams[i].refer = i % 3 == 0;
                joint_answer(joint->streams + i, joint_bytes() + i, 100 + i);
        }
        joint_run(joint);
        for (unsigned i = 0; i < 60; i++)
                assert_answered(joint->calls + i, joint_bytes() + i, 100 + i);
        joint_free(joint);
}

static void test_settings(void **state)
{
        struct joint *joint = joint_new(NULL, 12);

        (void)state;
        assert_false(joint->server.settings_received);
        assert_false(
                session_has_output(&joint->server)); /* before the preface: it may speak HTTP/1 */
        joint_run(joint);
        assert_true(joint->server.settings_received);
        assert_false(session_has_output(&joint->server));
        assert_false(session_is_over(&joint->server));
        assert_int_equal(joint->frames[0].type, NGHTTP2_SETTINGS);
        assert_int_equal(nghttp2_session_get_remote_settings(
                                 joint->client, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS),
                joint->limits.streams_max);
        assert_int_equal(nghttp2_session_get_remote_settings(
                                 joint->client, NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE),
                joint->limits.stream_window_bytes);
        assert_int_equal(nghttp2_session_get_remote_settings(
                                 joint->client, NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE),
                joint->limits.header_bytes_max);
        assert_int_equal(
                nghttp2_session_get_remote_settings(joint->client, NGHTTP2_SETTINGS_MAX_FRAME_SIZE),
                joint->limits.frame_bytes_max);
        assert_int_equal(nghttp2_session_get_remote_window_size(joint->client),
                joint->limits.connection_window_bytes);
        joint_free(joint);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_settings),
                cmocka_unit_test(test_unary_in_pieces),
                cmocka_unit_test(test_large_on_many_streams),
                cmocka_unit_test(test_trailers_only),
                cmocka_unit_test(test_answer_before_the_client_has_ended),
                cmocka_unit_test(test_resume),
                cmocka_unit_test(test_flow_control),
                cmocka_unit_test(test_refused_stream),
                cmocka_unit_test(test_trailers_of_a_refused_stream),
                cmocka_unit_test(test_received_bytes_add_up),
                cmocka_unit_test(test_reset_by_the_peer),
                cmocka_unit_test(test_reset_by_us),
                cmocka_unit_test(test_deinit_with_open_streams),
                cmocka_unit_test(test_pins_outlive_the_stream),
                cmocka_unit_test(test_small_outputs),
                cmocka_unit_test(test_output_with_many_small_answers),
        };

        return cmocka_run_group_tests_name("transport/session", tests, NULL, NULL);
}
