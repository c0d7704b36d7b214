/* SPDX-License-Identifier: MIT */

/* Each allocation of nghttp2's fails in its turn: an error comes back, nothing crashes, nothing leaks. */

#include "harness.h"
#include "pair.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct failing {
        nghttp2_mem h2;
        size_t calls;
        size_t fail_at; /* this one and all after, or only this one */
        bool once;
        size_t live;
};

static bool fails(struct failing *failing)
{
        failing->calls++;
        return failing->once ? failing->calls == failing->fail_at
                             : failing->calls >= failing->fail_at;
}

static void *failing_malloc(size_t size, void *user)
{
        struct failing *failing = user;

        if (fails(failing))
                return NULL;
        failing->live++;
        return malloc(size);
}

static void *failing_calloc(size_t count, size_t size, void *user)
{
        struct failing *failing = user;

        if (fails(failing))
                return NULL;
        failing->live++;
        return calloc(count, size);
}

static void *failing_realloc(void *old, size_t size, void *user)
{
        struct failing *failing = user;

        if (fails(failing))
                return NULL;
        failing->live += !old;
        return realloc(old, size);
}

static void failing_free(void *memory, void *user)
{
        ((struct failing *)user)->live -= memory != NULL;
        free(memory);
}

static void failing_init(struct failing *failing, size_t fail_at, bool once)
{
        *failing = (struct failing){
                .h2 = { failing, failing_malloc, failing_free, failing_calloc, failing_realloc },
                .fail_at = fail_at,
                .once = once,
        };
}

/* The bytes of a client that makes three calls, one of which it resets; recorded once. */
struct recording {
        uint8_t bytes[4096];
        size_t size;
};

static void recording_init(struct recording *recording)
{
        struct joint *joint = joint_new(NULL, 1);
        const uint8_t *data;
        nghttp2_ssize size;

        joint_request(joint, "/a.B/c", joint_bytes(), 100, true);
        joint_request(joint, "/a.B/d", joint_bytes(), 1000, false);
        joint_request(joint, "/a.B/e", joint_bytes(), 10, true);
        recording->size = 0;
        for (unsigned i = 0; i < 2; i++) {
                while ((size = nghttp2_session_mem_send2(joint->client, &data)) > 0) {
                        memcpy(recording->bytes + recording->size, data, (size_t)size);
                        recording->size += (size_t)size;
                }
                nghttp2_submit_rst_stream(joint->client, NGHTTP2_FLAG_NONE, 3, NGHTTP2_CANCEL);
        }
        joint_free(joint);
}

static int drain_output(struct session *session)
{
        static struct output output;
        int r;

        do {
                output_init(&output, OUTPUT_BLOCK_BYTES);
                r = session_fill(session, &output);
                session_release(session->events, &output);
        } while (r == 0 && output.bytes > 0);
        return r;
}

static int converse(struct session *session, struct joint *joint, const struct recording *recording)
{
        size_t half = recording->size / 2;
        int r = session_feed(session, recording->bytes, half);

        if (r == 0)
                r = session_feed(session, recording->bytes + half, recording->size - half);
        for (unsigned i = 0; r == 0 && i < joint->stream_count; i++) {
                static const nghttp2_nv status = { (uint8_t *)":status", (uint8_t *)"200", 7, 3,
                        0 };
                struct server_stream *stream = joint->streams + i;

                stream->body = joint_bytes();
                stream->body_size = 5000;
                stream->finish = true;
                stream->refer = i & 1;
                r = stream_respond(&stream->stream, &status, 1, false);
        }
        if (r == 0)
                r = drain_output(session);
        if (r == 0)
                session_drain(session);
        return r == 0 ? drain_output(session) : r;
}

/* True: the conversation came to its end without a failure. */
static bool attempt(const struct recording *recording, size_t fail_at, bool once)
{
        struct joint *joint = calloc(1, sizeof(*joint)); /* where the events are written down */
        struct failing failing;
        bool whole;
        int r;

        failing_init(&failing, fail_at, once);
        joint->consume = true;
        r = session_init_server(
                &joint->server, &failing.h2, &joint_limits, 0, &joint_events, joint);
        if (r == 0)
                r = converse(&joint->server, joint, recording);
        /* a peer that is at no fault may be told so where nghttp2 does not tell us why it failed */
        assert_true(r == 0 || r == -ENOMEM || r == -EPROTO);
        session_deinit(&joint->server);
        assert_int_equal(failing.live, 0);
        for (unsigned i = 0; i < joint->stream_count; i++) {
                assert_int_equal(joint->streams[i].closes, 1);
                assert_int_equal(joint->streams[i].stream.pins, 0);
                free(joint->streams[i].data);
        }
        whole = failing.calls < fail_at;
        assert_true(!whole || r == 0);
        free(joint);
        return whole;
}

static int converse_as_client(struct pair *pair, const struct recording *recording)
{
        static const char *const paths[] = { "/first", "/second", "/third" };
        struct session *session = &pair->client.session;
        size_t half = recording->size / 2;
        struct call *call;
        int r = 0;

        for (unsigned i = 0; r == 0 && i < 3; i++)
                r = pair_try_request(pair, paths[i], joint_bytes(), 3000, i < 2, &call);
        if (r == 0)
                r = drain_output(session);
        if (r == 0)
                r = pair_try_request(pair, "/cancelled", NULL, 0, true, &call);
        if (r == 0)
                stream_reset(&call->stream, NGHTTP2_CANCEL);
        if (r == 0)
                r = session_feed(session, recording->bytes, half);
        if (r == 0)
                r = drain_output(session);
        if (r == 0)
                r = session_feed(session, recording->bytes + half, recording->size - half);
        if (r == 0)
                session_terminate(session, NGHTTP2_NO_ERROR, NULL);
        return r == 0 ? drain_output(session) : r;
}

/* As above, for a client whose server's bytes are recorded. */
static bool attempt_as_client(const struct recording *recording, size_t fail_at, bool once)
{
        struct pair *pair = calloc(1, sizeof(*pair)); /* of which only the client lives */
        struct failing failing;
        bool whole;
        int r;

        failing_init(&failing, fail_at, once);
        pair->client.pair = pair;
        r = session_init_client(
                &pair->client.session, &failing.h2, &joint_limits, &end_events, &pair->client);
        if (r == 0)
                r = converse_as_client(pair, recording);
        /* a header block that could not be compressed is the connection's end: nghttp2 says no more of it */
        assert_true(r == 0 || r == -ENOMEM || r == -EPROTO || r == -ESHUTDOWN);
        session_deinit(&pair->client.session);
        assert_int_equal(failing.live, 0);
        assert_int_equal(pair->client.open, 0);
        for (unsigned i = 0; i < pair->client.count; i++) {
                assert_int_equal(pair->client.calls[i].closes, 1);
                assert_int_equal(pair->client.calls[i].stream.pins, 0);
                free(pair->client.calls[i].data);
        }
        whole = failing.calls < fail_at;
        assert_true(!whole || r == 0);
        free(pair);
        return whole;
}

static void attempt_all(bool once)
{
        struct recording recording;
        size_t fail_at = 1;

        recording_init(&recording);
        while (!attempt(&recording, fail_at, once))
                fail_at++;
        assert_true(fail_at > 30);
        recording.size = pair_record(recording.bytes);
        fail_at = 1;
        while (!attempt_as_client(&recording, fail_at, once))
                fail_at++;
        assert_true(fail_at > 30);
}

static void test_memory_runs_out(void **state)
{
        (void)state;
        attempt_all(false);
}

static void test_memory_is_short_once(void **state)
{
        (void)state;
        attempt_all(true);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_memory_runs_out),
                cmocka_unit_test(test_memory_is_short_once),
        };

        return cmocka_run_group_tests_name("transport/nomem", tests, NULL, NULL);
}
