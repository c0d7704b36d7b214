/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "pair.h"

#include "../codec/random.h"

#define GLITCHES_ENOUGH 2000

/* ---- calls of all kinds ---- */

static void assert_body(const struct call *call, const void *body, size_t size)
{
        assert_int_equal(call->data_size, size);
        if (size > 0)
                assert_memory_equal(call->data, body, size);
}

static void assert_good(const struct call *call)
{
        assert_int_equal(call->closes, 1);
        assert_int_equal(call->error_code, NGHTTP2_NO_ERROR);
        assert_int_equal(call->headers, 1);
        assert_int_equal(call->ends, 1);
        assert_string_equal(call->status, "200");
        assert_string_equal(call->grpc_status, "0");
}

static void test_unary(void **state)
{
        struct pair *pair = pair_new(NULL, 1);
        struct call *call = pair_request(pair, "/a", "question", 8, true);
        struct call *served;

        (void)state;
        assert_true(call->stream.unsent);
        pair_run(pair);
        served = pair_other(pair, call);
        assert_non_null(served);
        assert_false(call->stream.unsent);
        assert_string_equal(served->path, "/a");
        assert_body(served, "question", 8);
        assert_int_equal(served->ends, 1);
        assert_int_equal(call->headers, 0);
        call_answer(served, "answer", 6, true);
        pair_run(pair);
        assert_good(call);
        assert_int_equal(call->trailers, 1);
        assert_int_equal(call->trailers_only, 0);
        assert_body(call, "answer", 6);
        assert_int_equal(served->closes, 1);
        assert_int_equal(served->error_code, NGHTTP2_NO_ERROR);
        /* nobody had to reset it */
        assert_false(pair->client.session.has_reset);
        assert_int_equal(pair->server.session.resets, 0);
        pair_free(pair);
}

static void test_no_body(void **state)
{
        struct pair *pair = pair_new(NULL, 1);
        struct call *call = pair_request(pair, "/a", NULL, 0, true);

        (void)state;
        pair_run(pair);
        assert_int_equal(pair_other(pair, call)->ends, 1);
        call_answer(pair_other(pair, call), NULL, 0, true);
        pair_run(pair);
        assert_good(call);
        assert_int_equal(call->trailers, 1);
        pair_free(pair);
}

static void test_trailers_only(void **state)
{
        struct pair *pair = pair_new(NULL, 1);
        struct call *call = pair_request(pair, "/a", "x", 1, true);

        (void)state;
        pair_run(pair);
        call_answer_only(pair_other(pair, call), "12");
        pair_run(pair);
        assert_int_equal(call->headers, 1);
        assert_int_equal(call->trailers_only, 1);
        assert_int_equal(call->trailers, 0);
        assert_int_equal(call->ends, 1);
        assert_string_equal(call->grpc_status, "12");
        assert_int_equal(call->closes, 1);
        assert_int_equal(call->error_code, NGHTTP2_NO_ERROR);
        pair_free(pair);
}

/* Far more than the windows, both ways at once, while both ends may begin before the other is through. */
static void test_streams_both_ways(void **state)
{
        const uint8_t *bytes = joint_bytes();

        (void)state;
        for (uint64_t seed = 1; seed <= 5; seed++) {
                struct pair *pair = pair_new(NULL, seed);
                struct call *call = pair_request(pair, "/bidi", bytes, 300000, false);
                struct call *served;

                pair_run(pair);
                served = pair_other(pair, call);
                assert_int_equal(served->data_size, 300000);
                assert_int_equal(served->ends, 0);
                call_answer(served, bytes + 1000, 400000, false);
                call_continue(call, bytes + 300000, 200000, true);
                pair_run(pair);
                assert_body(served, bytes, 500000);
                assert_int_equal(served->ends, 1);
                assert_body(call, bytes + 1000, 400000);
                assert_int_equal(call->ends, 0);
                call_continue(served, bytes + 401000, 7, true);
                pair_run(pair);
                assert_body(call, bytes + 1000, 400007);
                assert_good(call);
                pair_free(pair);
        }
}

/* A window that nobody opens stops its stream, and no other. */
static void test_windows(void **state)
{
        const uint8_t *bytes = joint_bytes();
        struct pair *pair = pair_new(NULL, 3);
        struct call *slow = pair_request(pair, "/slow", "x", 1, true);
        struct call *quick = pair_request(pair, "/quick", "x", 1, true);

        (void)state;
        slow->hold = true;
        pair_run(pair);
        call_answer(pair_other(pair, slow), bytes, 500000, true);
        call_answer(pair_other(pair, quick), bytes, 500000, true);
        pair_run(pair);
        assert_good(quick);
        assert_body(quick, bytes, 500000);
        assert_int_equal(slow->data_size, pair->limits.stream_window_bytes);
        assert_int_equal(slow->ends, 0);
        slow->hold = false;
        stream_consume(&slow->stream, slow->stream.unconsumed_bytes);
        pair_run(pair);
        assert_good(slow);
        assert_body(slow, bytes, 500000);
        pair_free(pair);
}

/* The same the other way: what a server does not take the client does not send. */
static void test_window_of_request(void **state)
{
        const uint8_t *bytes = joint_bytes();
        struct pair *pair = pair_new(NULL, 3);
        struct call *call = pair_request(pair, "/a", bytes, 1, false);
        struct call *served;

        (void)state;
        pair_run(pair);
        served = pair_other(pair, call);
        served->hold = true;
        call_continue(call, bytes + 1, 299999, true);
        pair_run(pair);
        assert_int_equal(served->data_size, pair->limits.stream_window_bytes);
        assert_int_equal(stream_send_window_bytes(&call->stream), 0);
        served->hold = false;
        stream_consume(&served->stream, served->stream.unconsumed_bytes);
        pair_run(pair);
        assert_body(served, bytes, 300000);
        assert_int_equal(served->ends, 1);
        call_answer_only(served, "0");
        pair_run(pair);
        assert_good(call);
        pair_free(pair);
}

/* Random calls, answers, continuations and cancellations, by both ends, in an order that the seed chooses. */
static void do_something(struct pair *pair, uint64_t *random)
{
        const uint8_t *bytes = joint_bytes();
        struct end *end = random_upto(random, 1) ? &pair->server : &pair->client;
        struct call *call;

        if (end == &pair->client && pair->client.count < PAIR_CALLS_MAX - 1 &&
                random_upto(random, 1)) {
                (void)pair_try_request(pair, "/any", bytes, random_upto(random, 100000),
                        random_upto(random, 3) > 0, &call);
                return;
        }
        if (end->count == 0)
                return;
        call = end->calls + random_upto(random, end->count - 1);
        if (call->closes > 0)
                return;
        if (random_upto(random, 15) == 0)
                stream_reset(&call->stream, NGHTTP2_CANCEL);
        else if (end == &pair->server && call->body == NULL)
                call_answer(call, bytes, random_upto(random, 100000), random_upto(random, 3) > 0);
        else if (!call->finish && call->body_sent == call->body_size)
                call_continue(call, bytes, random_upto(random, 9000), random_upto(random, 1));
}

static void test_many(void **state)
{
        (void)state;
        for (uint64_t seed = 1; seed <= 40; seed++) {
                struct pair *pair = pair_new(NULL, seed);
                uint64_t random = seed;

                pair->piece_bytes_max = 1 + random_upto(&random, 3000);
                for (unsigned i = 0; i < 1000; i++) {
                        switch (random_upto(&random, 3)) {
                        case 0:
                                (void)end_speak(&pair->client);
                                break;
                        case 1:
                                (void)end_speak(&pair->server);
                                break;
                        default:
                                do_something(pair, &random);
                        }
                }
                pair_run(pair);
                assert_int_equal(pair->client.error, 0);
                assert_int_equal(pair->server.error, 0);
                assert_int_equal(pair->client.open, pair->client.session.stream_count);
                assert_true(pair->client.count > 40);
                assert_int_equal(pair->client.faults + pair->server.faults, 0);
                pair_free(pair);
        }
}

/* ---- the end of calls ---- */

static void test_client_cancels(void **state)
{
        struct pair *pair = pair_new(NULL, 1);
        struct call *call = pair_request(pair, "/a", "x", 1, false);

        (void)state;
        pair_run(pair);
        stream_reset(&call->stream, NGHTTP2_CANCEL);
        assert_int_equal(call->closes, 0);
        pair_run(pair);
        assert_int_equal(call->closes, 1);
        assert_int_equal(call->error_code, NGHTTP2_CANCEL);
        assert_false(call->closed_unsent);
        assert_int_equal(pair_other(pair, call)->closes, 1);
        assert_int_equal(pair_other(pair, call)->error_code, NGHTTP2_CANCEL);
        pair_free(pair);
}

static size_t goaway(uint8_t *out, int32_t last_id, uint32_t code, const char *text)
{
        const uint32_t values[] = { (uint32_t)last_id, code };
        size_t size = frame_head(out, 8 + (uint32_t)strlen(text), NGHTTP2_GOAWAY, 0, 0);

        for (unsigned i = 0; i < 2; i++) {
                for (unsigned j = 4; j-- > 0;)
                        out[size++] = (uint8_t)(values[i] >> 8 * j);
        }
        memcpy(out + size, text, strlen(text));
        return size + strlen(text);
}

/* Both make their output before they hear the other's. */
static void speak_at_once(struct pair *pair)
{
        static struct output output;

        output_init(&output, OUTPUT_BLOCK_BYTES);
        assert_int_equal(session_fill(&pair->server.session, &output), 0);
        (void)end_speak(&pair->client);
        for (unsigned i = 0; i < output.iov_count; i++)
                (void)end_feed(&pair->client, output.iov[i].iov_base, output.iov[i].iov_len);
        session_release(&end_events, &output);
}

/* What was on its way for a call that the client has cancelled is no fault of the server. */
static void test_late_answer(void **state)
{
        struct pair *pair = pair_new(NULL, 1);
        struct call *call = pair_request(pair, "/a", "x", 1, true);

        (void)state;
        pair_run(pair);
        call_answer(pair_other(pair, call), joint_bytes(), 50000, true);
        stream_reset(&call->stream, NGHTTP2_CANCEL);
        speak_at_once(pair);
        pair_run(pair);
        assert_int_equal(call->closes, 1);
        assert_int_equal(call->data_size, 0);
        assert_int_equal(pair->client.error, 0);
        assert_int_equal(pair->client.faults, 0);
        assert_int_equal(pair->client.session.glitches.count, 1); /* the server's SETTINGS */
        pair_free(pair);
}

/* The server says its status while the client's side is open: the client ends its side in good order. */
static void test_early_status(void **state)
{
        struct pair *pair = pair_new(NULL, 1);
        struct call *call = pair_request(pair, "/a", "x", 1, false);

        (void)state;
        pair_run(pair);
        call_answer(pair_other(pair, call), "y", 1, true);
        pair_run(pair);
        assert_good(call);
        assert_int_equal(pair_other(pair, call)->closes, 1);
        assert_int_equal(pair->client.open, 0);
        pair_free(pair);
}

static void test_server_resets(void **state)
{
        struct pair *pair = pair_new(NULL, 1);
        struct call *call = pair_request(pair, "/a", "x", 1, false);

        (void)state;
        pair_run(pair);
        stream_reset(&pair_other(pair, call)->stream, NGHTTP2_ENHANCE_YOUR_CALM);
        pair_run(pair);
        assert_int_equal(call->closes, 1);
        assert_int_equal(call->error_code, NGHTTP2_ENHANCE_YOUR_CALM);
        assert_int_equal(call->ends, 0);
        pair_free(pair);
}

/* Who is cancelled before it was sent is never sent, however often it is cancelled. */
static void test_cancelled_unsent(void **state)
{
        struct pair *pair = pair_new(NULL, 1);
        struct call *gone = pair_request(pair, "/gone", "x", 1, true);
        struct call *call = pair_request(pair, "/a", "x", 1, true);

        (void)state;
        stream_reset(&gone->stream, NGHTTP2_CANCEL);
        stream_reset(&gone->stream, NGHTTP2_INTERNAL_ERROR);
        pair_run(pair);
        assert_int_equal(gone->closes, 1);
        assert_int_equal(gone->error_code, NGHTTP2_CANCEL);
        assert_true(gone->closed_unsent);
        assert_int_equal(pair->server.count, 1);
        assert_int_equal(pair->server.session.resets, 0);
        call_answer_only(pair_other(pair, call), "0");
        pair_run(pair);
        assert_good(call);
        pair_free(pair);
}

/* A cancelled request whose turn has not come, and then the server takes none: that is no reason to send a RST_STREAM. */
static void test_cancelled_and_refused(void **state)
{
        struct pair *pair = pair_new(NULL, 1);
        struct call *gone;
        uint8_t bytes[64];

        (void)state;
        pair_run(pair);
        gone = pair_request(pair, "/gone", "x", 1, true);
        stream_reset(&gone->stream, NGHTTP2_CANCEL);
        assert_int_equal(end_feed(&pair->client, bytes, goaway(bytes, 0, 0, "")), 0);
        assert_int_equal(gone->closes, 1);
        assert_true(gone->closed_unsent);
        pair_run(pair);
        assert_int_equal(pair->server.session.resets, 0);
        assert_int_equal(pair->server.count, 0);
        pair_free(pair);
}

/* A header block that nghttp2 can't make is not one to be sent again: never REFUSED_STREAM. */
static void test_request_too_large(void **state)
{
        static char path[70000];
        struct pair *pair = pair_new(NULL, 1);
        struct call *call;

        (void)state;
        memset(path, 'a', sizeof(path) - 1);
        call = pair_request(pair, path, "x", 1, true);
        pair_run(pair);
        assert_int_equal(call->closes, 1);
        assert_int_equal(call->error_code, NGHTTP2_INTERNAL_ERROR);
        call = pair_request(pair, "/a", "x", 1, true);
        pair_run(pair);
        call_answer_only(pair_other(pair, call), "0");
        pair_run(pair);
        assert_good(call);
        pair_free(pair);
}

/* ---- how many streams ---- */

static void test_streams_max(void **state)
{
        quoit_limits limits = joint_limits;
        struct pair *pair;
        struct call *calls[5], *more;

        (void)state;
        limits.streams_max = 3;
        pair = pair_new(&limits, 1);
        pair_run(pair);
        assert_int_equal(session_streams_left(&pair->client.session), 3);
        for (unsigned i = 0; i < 3; i++)
                calls[i] = pair_request(pair, "/a", "x", 1, true);
        assert_int_equal(session_streams_left(&pair->client.session), 0);
        assert_int_equal(pair_try_request(pair, "/a", "x", 1, true, &more), -EAGAIN);
        pair_run(pair);
        assert_int_equal(pair_try_request(pair, "/a", "x", 1, true, &more), -EAGAIN);
        call_answer_only(pair_other(pair, calls[1]), "0");
        pair_run(pair);
        assert_int_equal(session_streams_left(&pair->client.session), 1);
        more = pair_request(pair, "/a", "x", 1, true);
        pair_run(pair);
        assert_non_null(pair_other(pair, more));
        assert_int_equal(pair->server.session.resets, 0);
        pair_free(pair);
}

static void allow_streams(struct end *server, uint32_t count)
{
        const nghttp2_settings_entry entry = { NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, count };

        assert_int_equal(
                nghttp2_submit_settings(server->session.h2, NGHTTP2_FLAG_NONE, &entry, 1), 0);
}

/* The server's limit, below what was begun but not sent: those are given back, not kept for ever. */
static void test_limit_is_lowered(void **state)
{
        struct pair *pair = pair_new(NULL, 1);
        struct call *sent = pair_request(pair, "/sent", "x", 1, true);
        struct call *waiting[3], *more;

        (void)state;
        (void)end_speak(&pair->client);
        for (unsigned i = 0; i < 3; i++)
                waiting[i] = pair_request(pair, "/waiting", "x", 1, true);
        allow_streams(&pair->server, 2);
        (void)end_speak(&pair->server);
        for (unsigned i = 0; i < 3; i++)
                assert_int_equal(waiting[i]->closes, i > 0);
        assert_true(waiting[1]->closed_unsent);
        assert_int_equal(waiting[1]->error_code, NGHTTP2_REFUSED_STREAM);
        assert_int_equal(pair_try_request(pair, "/a", "x", 1, true, &more), -EAGAIN);
        pair_run(pair);
        assert_int_equal(pair->server.count, 2);
        allow_streams(&pair->server, 3);
        pair_run(pair);
        assert_int_equal(session_streams_left(&pair->client.session), 1);
        more = pair_request(pair, "/more", "x", 1, true);
        pair_run(pair);
        assert_string_equal(pair_other(pair, more)->path, "/more");
        call_answer_only(pair_other(pair, sent), "0");
        pair_run(pair);
        assert_good(sent);
        pair_free(pair);
}

/* ---- the end of the connection ---- */

/* Calls up to the last id end well; those above it are told that nobody has seen them, and so are those that wait. */
static void test_goaway(void **state)
{
        struct pair *pair = pair_new(NULL, 1);
        struct call *seen, *unseen, *waiting, *more;
        uint8_t bytes[64];

        (void)state;
        pair_run(pair);
        seen = pair_request(pair, "/seen", "x", 1, true);
        pair_run(pair);
        unseen = pair_request(pair, "/unseen", "x", 1, true);
        (void)end_speak(&pair->client);
        waiting = pair_request(pair, "/waiting", "x", 1, true);
        assert_int_equal(
                end_feed(&pair->client, bytes, goaway(bytes, seen->stream.id, 0, "bye")), 0);
        assert_int_equal(pair->client.goaways, 1);
        assert_int_equal(pair->client.goaway_id, seen->stream.id);
        assert_int_equal(pair->client.goaway_code, 0);
        assert_string_equal(pair->client.goaway_text, "bye");
        assert_int_equal(seen->closes, 0);
        assert_int_equal(unseen->closes, 1);
        assert_int_equal(unseen->error_code, NGHTTP2_REFUSED_STREAM);
        assert_false(unseen->closed_unsent);
        assert_int_equal(waiting->closes, 1);
        assert_int_equal(waiting->error_code, NGHTTP2_REFUSED_STREAM);
        assert_true(waiting->closed_unsent);
        assert_int_equal(session_streams_left(&pair->client.session), 0);
        assert_int_equal(pair_try_request(pair, "/a", "x", 1, true, &more), -ESHUTDOWN);
        call_answer(pair_other(pair, seen), "y", 1, true);
        pair_run(pair);
        assert_good(seen);
        assert_true(session_is_over(&pair->client.session));
        pair_free(pair);
}

/* A server that goes in good order: both GOAWAYs, and no call is lost. */
static void test_drain(void **state)
{
        struct pair *pair = pair_new(NULL, 1);
        struct call *first = pair_request(pair, "/first", "x", 1, true);
        struct call *second, *more;

        (void)state;
        pair_run(pair);
        second = pair_request(pair, "/second", "x", 1, true);
        session_drain(&pair->server.session);
        (void)end_speak(&pair->server); /* crosses with the second */
        assert_int_equal(pair->client.goaways, 1);
        assert_int_equal(pair->client.goaway_id, INT32_MAX);
        assert_int_equal(second->closes, 1); /* it was not on its way yet */
        assert_true(second->closed_unsent);
        pair_run(pair);
        assert_int_equal(pair->server.session.drain, DRAIN_ACKNOWLEDGED);
        session_drain_now(&pair->server.session);
        pair_run(pair);
        assert_int_equal(pair->client.goaways, 2);
        assert_int_equal(pair->client.goaway_id, first->stream.id);
        assert_int_equal(pair_try_request(pair, "/a", "x", 1, true, &more), -ESHUTDOWN);
        call_answer_only(pair_other(pair, first), "0");
        pair_run(pair);
        assert_good(first);
        assert_true(session_is_over(&pair->client.session));
        assert_true(session_is_over(&pair->server.session));
        pair_free(pair);
}

/* Ids that grow, or are not ours, are wrong in a server's GOAWAY. */
static void test_goaway_wrong(void **state)
{
        static const int32_t second_ids[] = { 5, 2 };
        uint8_t bytes[64];

        (void)state;
        for (unsigned i = 0; i < 2; i++) {
                struct pair *pair = pair_new(NULL, 1);
                struct call *call = pair_request(pair, "/a", "x", 1, true);

                pair_run(pair);
                assert_int_equal(end_feed(&pair->client, bytes, goaway(bytes, 3, 0, "")), 0);
                (void)end_feed(&pair->client, bytes, goaway(bytes, second_ids[i], 0, ""));
                pair_run(pair);
                assert_int_equal(pair->client.goaways, 1);
                assert_int_equal(pair->client.fault_code, NGHTTP2_PROTOCOL_ERROR);
                session_deinit(&pair->client.session);
                assert_int_equal(call->closes, 1);
                pair_free(pair);
        }
}

static void test_deinit_with_calls(void **state)
{
        struct pair *pair = pair_new(NULL, 1);
        struct call *sent = pair_request(pair, "/sent", "x", 1, false);
        struct call *waiting;

        (void)state;
        pair_run(pair);
        waiting = pair_request(pair, "/waiting", "x", 1, false);
        session_deinit(&pair->client.session);
        assert_int_equal(sent->error_code, NGHTTP2_CANCEL);
        assert_false(sent->closed_unsent);
        assert_true(waiting->closed_unsent);
        pair_free(pair);
}

/* A client that says that it is through: the server closes behind it. */
static void test_client_terminates(void **state)
{
        struct pair *pair = pair_new(NULL, 1);
        struct call *more;

        (void)state;
        pair_run(pair);
        session_terminate(&pair->client.session, NGHTTP2_NO_ERROR, NULL);
        assert_int_equal(pair_try_request(pair, "/a", "x", 1, true, &more), -ESHUTDOWN);
        pair_run(pair);
        assert_true(session_is_over(&pair->client.session));
        assert_int_equal(pair->client.faults, 0);
        assert_int_equal(pair->server.error, 0);
        pair_free(pair);
}

static void test_ping(void **state)
{
        struct pair *pair = pair_new(NULL, 1);

        (void)state;
        pair_run(pair);
        session_measure(&pair->client.session);
        session_ping(&pair->server.session);
        pair_run(pair);
        assert_true(pair->client.session.round_trip_answered);
        assert_int_equal(pair->server.session.pings, 1);
        assert_int_equal(pair->client.session.pings, 1);
        assert_int_equal(pair->client.session.glitches.pongs_due, 0);
        pair_free(pair);
}

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
        assert_body(call, "hi", 2);
        pair_run(pair);
        assert_good(call);
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
        assert_good(call);
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
        assert_good(call);
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
                assert_good(first);
                assert_body(first, "answer", 6);
                assert_int_equal(second->trailers_only, 1);
                assert_string_equal(second->grpc_status, "5");
                assert_int_equal(second->closes, 1);
                assert_int_equal(third->error_code, NGHTTP2_REFUSED_STREAM);
                assert_int_equal(pair->client.goaways, 1);
                assert_int_equal(pair->client.session.pings, 2);
                pair_free(pair);
        }
}

/* A client's drain is one GOAWAY: no request begins behind it, those that run finish. A server's resets are not counted. */
static void test_client_drains(void **state)
{
        struct pair *pair = pair_new(NULL, 1);
        struct call *call = pair_request(pair, "/a", "x", 1, true);
        struct call *other = pair_request(pair, "/b", "x", 1, true), *late;

        (void)state;
        pair_run(pair);
        session_drain(&pair->client.session);
        assert_int_equal(pair->client.session.drain, DRAIN_DUE);
        assert_int_equal(session_streams_left(&pair->client.session), 0);
        assert_int_equal(pair_try_request(pair, "/c", "x", 1, true, &late), -ESHUTDOWN);
        pair_run(pair);
        assert_int_equal(pair->client.session.drain, DRAIN_DONE);
        assert_int_equal(pair_try_request(pair, "/c", "x", 1, true, &late), -ESHUTDOWN);
        call_answer(pair_other(pair, call), "answer", 6, true);
        stream_reset(&pair_other(pair, other)->stream, NGHTTP2_CANCEL);
        pair_run(pair);
        assert_good(call);
        assert_int_equal(other->error_code, NGHTTP2_CANCEL);
        assert_int_equal(pair->client.session.resets, 0);
        assert_true(session_is_over(&pair->client.session));
        pair_free(pair);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_unary),
                cmocka_unit_test(test_no_body),
                cmocka_unit_test(test_trailers_only),
                cmocka_unit_test(test_streams_both_ways),
                cmocka_unit_test(test_windows),
                cmocka_unit_test(test_window_of_request),
                cmocka_unit_test(test_many),
                cmocka_unit_test(test_client_cancels),
                cmocka_unit_test(test_client_drains),
                cmocka_unit_test(test_late_answer),
                cmocka_unit_test(test_early_status),
                cmocka_unit_test(test_server_resets),
                cmocka_unit_test(test_cancelled_unsent),
                cmocka_unit_test(test_cancelled_and_refused),
                cmocka_unit_test(test_request_too_large),
                cmocka_unit_test(test_streams_max),
                cmocka_unit_test(test_limit_is_lowered),
                cmocka_unit_test(test_goaway),
                cmocka_unit_test(test_drain),
                cmocka_unit_test(test_goaway_wrong),
                cmocka_unit_test(test_deinit_with_calls),
                cmocka_unit_test(test_client_terminates),
                cmocka_unit_test(test_ping),
                cmocka_unit_test(test_push),
                cmocka_unit_test(test_interim),
                cmocka_unit_test(test_interim_flood),
                cmocka_unit_test(test_malformed),
                cmocka_unit_test(test_out_of_place),
                cmocka_unit_test(test_headers_again),
                cmocka_unit_test(test_header_limits),
                cmocka_unit_test(test_floods),
                cmocka_unit_test(test_glitches),
                cmocka_unit_test(test_beyond_the_window),
                cmocka_unit_test(test_other_protocols),
                cmocka_unit_test(test_split_everywhere),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
