/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "harness.h"
#include "pair.h"

#include "../codec/random.h"

/* ---- calls of all kinds ---- */

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
        call_assert_body(served, "question", 8);
        assert_int_equal(served->ends, 1);
        assert_int_equal(call->headers, 0);
        call_answer(served, "answer", 6, true);
        pair_run(pair);
        call_assert_good(call);
        assert_int_equal(call->trailers, 1);
        assert_int_equal(call->trailers_only, 0);
        call_assert_body(call, "answer", 6);
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
        call_assert_good(call);
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
                call_assert_body(served, bytes, 500000);
                assert_int_equal(served->ends, 1);
                call_assert_body(call, bytes + 1000, 400000);
                assert_int_equal(call->ends, 0);
                call_continue(served, bytes + 401000, 7, true);
                pair_run(pair);
                call_assert_body(call, bytes + 1000, 400007);
                call_assert_good(call);
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
        call_assert_good(quick);
        call_assert_body(quick, bytes, 500000);
        assert_int_equal(slow->data_size, pair->limits.stream_window_bytes);
        assert_int_equal(slow->ends, 0);
        slow->hold = false;
        stream_consume(&slow->stream, slow->stream.unconsumed_bytes);
        pair_run(pair);
        call_assert_good(slow);
        call_assert_body(slow, bytes, 500000);
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
        call_assert_body(served, bytes, 300000);
        assert_int_equal(served->ends, 1);
        call_answer_only(served, "0");
        pair_run(pair);
        call_assert_good(call);
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
        for (uint64_t seed = 1; seed <= 20; seed++) {
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
        call_assert_good(call);
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
        call_assert_good(call);
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
        call_assert_good(call);
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
        assert_int_equal(pair->client.settings, 2);
        allow_streams(&pair->server, 3);
        pair_run(pair);
        assert_int_equal(pair->client.settings, 3);
        assert_int_equal(session_streams_left(&pair->client.session), 1);
        more = pair_request(pair, "/more", "x", 1, true);
        pair_run(pair);
        assert_string_equal(pair_other(pair, more)->path, "/more");
        call_answer_only(pair_other(pair, sent), "0");
        pair_run(pair);
        call_assert_good(sent);
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
        call_assert_good(seen);
        assert_true(session_is_over(&pair->client.session));
        pair_free(pair);
}

/* Makes one frame of @end's output; the other end hears it. */
static void speak_one_frame(struct end *end)
{
        static struct output output;

        output_init(&output, 1);
        assert_int_equal(session_fill(&end->session, &output), 0);
        for (unsigned i = 0; i < output.iov_count; i++)
                (void)end_feed(&end->pair->server, output.iov[i].iov_base, output.iov[i].iov_len);
        session_release(&end_events, &output);
}

/*
 * The server takes no more requests while one is half sent: its HEADERS are out, its CONTINUATION is not. Nobody may be told that
 * it was not sent: the server counts it, and will say itself what becomes of it.
 */
static void test_goaway_within_a_request(void **state)
{
        static char path[20000]; /* more than a frame */
        struct pair *pair = pair_new(NULL, 1);
        struct call *half, *waiting;
        uint8_t bytes[64];

        (void)state;
        memset(path, '!', sizeof(path) - 1); /* Huffman's code makes it no shorter */
        pair_run(pair);
        half = pair_request(pair, path, "x", 1, true);
        waiting = pair_request(pair, "/waiting", "x", 1, true);
        speak_one_frame(&pair->client);
        assert_true(half->stream.unsent);
        assert_int_equal(pair->server.count, 1);
        assert_int_equal(end_feed(&pair->client, bytes, goaway(bytes, half->stream.id, 0, "")), 0);
        assert_int_equal(waiting->closes, 1);
        assert_true(waiting->closed_unsent);
        assert_int_equal(half->closes, 0);
        pair_run(pair);
        assert_false(half->stream.unsent);
        assert_int_equal(pair->server.count, 1);
        assert_int_equal(half->closes, 1); /* it is more than the server takes */
        assert_false(half->closed_unsent);
        assert_int_equal(half->error_code, NGHTTP2_ENHANCE_YOUR_CALM);
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
        call_assert_good(first);
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
        call_assert_good(call);
        assert_int_equal(other->error_code, NGHTTP2_CANCEL);
        assert_int_equal(pair->client.session.resets, 0);
        assert_true(session_is_over(&pair->client.session));
        pair_free(pair);
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
                cmocka_unit_test(test_goaway_within_a_request),
                cmocka_unit_test(test_drain),
                cmocka_unit_test(test_goaway_wrong),
                cmocka_unit_test(test_deinit_with_calls),
                cmocka_unit_test(test_client_terminates),
                cmocka_unit_test(test_ping),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
