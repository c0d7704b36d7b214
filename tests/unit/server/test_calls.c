/* SPDX-License-Identifier: MIT */

/* Calls of all kinds from their stream to their handler and back, with the clock in the test's hand. */

#include "client.h"

#include <string.h>

#define MS UINT64_C(1000000)

/* Feeds the client's bytes to the server, without a turn of the server. */
static void feed_only(struct client *client)
{
        const uint8_t *data;
        nghttp2_ssize size;

        while ((size = nghttp2_session_mem_send2(client->h2, &data)) > 0)
                host_feed(client->host, data, (size_t)size);
}

static void test_unary(void **state)
{
        static const uint32_t sizes[] = { 0, 1, 1000, 9000, 99999 };
        struct client *client = client_new(NULL);

        (void)state;
        for (size_t i = 0; i < 5; i++) {
                struct reply *reply = client_call(client, "Unary", NULL, NULL);

                client_act(client, reply, SCRIPT_ANSWER, 0, sizes[i]);
                client_run(client);
                assert_status(reply, "0");
                assert_int_equal(reply_messages(reply), 1);
                assert_true(reply->data_size >= sizes[i] + 5);
        }
        client_free(client);
}

static void test_failures(void **state)
{
        struct client *client = client_new(NULL);
        struct reply *reply = client_call(client, "Unary", NULL, NULL);

        (void)state;
        client_act(client, reply, SCRIPT_FORGET, 0, 0);
        client_run(client);
        assert_status(reply, "13");
        assert_string_equal(reply->text, "the handler did not answer");
        assert_int_equal(client->host->log_lines, 1);

        reply = client_call(client, "Unary", NULL, NULL);
        client_send(client, reply, "\0\0\0\0\2\x22\x7f", 7, true);
        client_run(client);
        assert_status(reply, "13");
        assert_string_equal(reply->text, "the request message does not parse");

        reply = client_call(client, "Unary", NULL, NULL);
        client_send(client, reply, "\0\0\0\0\0\0\0\0\0\0", 10, true);
        client_run(client);
        assert_status(reply, "12");

        reply = client_call(client, "Unary", NULL, NULL);
        client_send(client, reply, "", 0, true);
        client_run(client);
        assert_status(reply, "12");

        reply = client_call(client, "ServerStream", NULL, NULL);
        client_send(client, reply, "\0\0\0\0\7abc", 8, true);
        client_run(client);
        assert_status(reply, "13");

        reply = client_call(client, "Bidi", NULL, NULL);
        client_send(client, reply, "\0\xff\0\0\0", 5, false);
        client_run(client);
        assert_status(reply, "8");

        reply = client_call(client, "ClientStream", NULL, NULL);
        client_send(client, reply, "\1\0\0\0\1x", 6, false);
        client_run(client);
        assert_status(reply, "13");
        client_free(client);
}

/* An answer that clients would find broken becomes INTERNAL, with a line in the log. */
static void test_one_answer_is_due(void **state)
{
        static const uint32_t acts[] = { SCRIPT_EMPTY, SCRIPT_TWICE };
        static const char *const texts[] = { "the handler did not answer",
                "the handler answered twice" };
        struct client *client = client_new(NULL);

        (void)state;
        for (unsigned i = 0; i < 2; i++) {
                struct reply *reply = client_call(client, "Unary", NULL, NULL);

                client_act(client, reply, acts[i], 0, 0);
                client_run(client);
                assert_status(reply, "13");
                assert_string_equal(reply->text, texts[i]);
                assert_int_equal(client->host->log_lines, i + 1);
        }
        client_free(client);
}

static void test_answered_later(void **state)
{
        struct client *client = client_new(NULL);
        struct reply *held = client_call(client, "Unary", NULL, NULL);
        struct reply *posted = client_call(client, "Unary", NULL, NULL);
        struct reply *early = client_call(client, "Unary", NULL, NULL);

        (void)state;
        client_act(client, held, SCRIPT_HOLD, 0, 0);
        client_act(client, posted, SCRIPT_POST, 0, 100);
        client_act(client, early, SCRIPT_HEADERS, 0, 0);
        client_run(client);
        assert_status(posted, "0");
        assert_false(held->closed);
        assert_false(held->headers_came);
        assert_true(early->headers_came);
        assert_false(early->closed);
        script_finish_held(&client->host->script);
        client_run(client);
        assert_status(held, "14");
        assert_status(early, "14");
        client_free(client);
}

/* A reply that cannot be sent finishes the call as well: nothing else would end the hold. */
static void test_a_reply_over_the_limit_ends_the_hold(void **state)
{
        const quoit_limits limits = { .message_send_bytes_max = 100 };
        struct client *client = client_new(&limits);
        struct reply *reply = client_call(client, "Unary", NULL, NULL);

        (void)state;
        client_act(client, reply, SCRIPT_POST, 0, 1000);
        client_run(client);
        assert_status(reply, "8");
        assert_int_equal(client->host->script.done, 1);
        client_free(client);
}

/* There was no memory for the answer: the client gets that as the status. */
static void test_no_message(void **state)
{
        static const char *const methods[] = { "Unary", "ServerStream" };
        struct client *client = client_new(NULL);

        (void)state;
        for (unsigned i = 0; i < 2; i++) {
                struct reply *reply = client_call(client, methods[i], NULL, NULL);

                client_act(client, reply, SCRIPT_NULL, 0, 0);
                client_run(client);
                assert_status(reply, "8");
                assert_string_equal(reply->text, "out of memory");
        }
        assert_int_equal(client->host->log_lines, 0);
        client_free(client);
}

static void test_metadata_both_ways(void **state)
{
        struct client *client = client_new(NULL);
        struct reply *reply = client_call(client, "Unary", "x-echo", "abc");

        (void)state;
        client_act(client, reply, SCRIPT_METADATA, 0, 0);
        client_run(client);
        assert_status(reply, "0");
        assert_string_equal(reply->echo, "abc|abc");
        client_free(client);
}

static void test_deadline(void **state)
{
        struct client *client = client_new(NULL);
        struct reply *reply = client_call(client, "Unary", "grpc-timeout", "50m");
        struct reply *stream = client_call(client, "Bidi", "grpc-timeout", "60m");

        (void)state;
        client_act(client, reply, SCRIPT_HOLD, 0, 0);
        client_run(client);
        host_sleep(client->host, 49 * MS);
        client_run(client);
        assert_false(reply->closed);
        host_sleep(client->host, 2 * MS);
        client_run(client);
        assert_status(reply, "4");
        assert_int_equal(client->host->script.cancels, 1);
        assert_int_equal(client->host->script.done, 1);
        assert_false(stream->closed);
        host_sleep(client->host, 10 * MS);
        client_run(client);
        assert_status(stream, "4");
        client_free(client);
}

static void test_server_stream(void **state)
{
        static const uint32_t sizes[] = { 10, 3000, 20000 };
        struct client *client = client_new(NULL);

        (void)state;
        for (size_t i = 0; i < 3; i++) {
                struct reply *reply = client_call(client, "ServerStream", NULL, NULL);

                client_act(client, reply, i == 1 ? SCRIPT_BURST : SCRIPT_ANSWER, 50, sizes[i]);
                client_run(client);
                assert_status(reply, "0");
                assert_int_equal(reply_messages(reply), 50);
        }
        client_free(client);
}

/* A client that does not open its window stops the handler: the queue is limited. */
static void test_slow_reader(void **state)
{
        const quoit_limits limits = { .call_queue_bytes_max = 20000 };
        struct client *client = client_new(&limits);
        struct reply *reply = client_call(client, "ServerStream", NULL, NULL);
        size_t sent = 0;

        (void)state;
        nghttp2_session_set_local_window_size(client->h2, NGHTTP2_FLAG_NONE, 0, 1 << 20);
        client_act(client, reply, SCRIPT_ENDLESS, 1, 1000);
        for (unsigned i = 0; i < 30; i++) {
                struct output *output;

                feed_only(client);
                host_turn(client->host);
                output = host_send(client->host, 100000); /* and never read by the client */
                sent += output ? output->bytes : 0;
                host_sent(client->host);
        }
        assert_in_range(client->host->group.queued_bytes, 1, 22000);
        assert_in_range(sent, 65000, 66000); /* its window, and headers */

        client_reset(client, reply);
        client_run(client);
        assert_int_equal(client->host->group.queued_bytes, 0);
        assert_int_equal(client->host->script.cancels, 1);
        assert_int_equal(client->host->script.done, 1);
        client_free(client);
}

static void ask(struct client *client, struct reply *reply, enum script_act act, uint32_t count,
        uint32_t size)
{
        upb_Arena *arena = upb_Arena_New();
        script_Ask *message = script_Ask_new(arena);

        script_Ask_set_act(message, act);
        script_Ask_set_count(message, count);
        script_Ask_set_size(message, size);
        client_ask(client, reply, message, false);
        upb_Arena_Free(arena);
}

static void test_client_stream(void **state)
{
        struct client *client = client_new(NULL);
        struct reply *reply = client_call(client, "ClientStream", NULL, NULL);

        (void)state;
        for (unsigned i = 0; i < 100; i++) {
                ask(client, reply, SCRIPT_ANSWER, 0, 5);
                if (i % 30 == 0)
                        client_run(client);
        }
        client_send(client, reply, "", 0, true);
        client_run(client);
        assert_status(reply, "0");
        assert_int_equal(client->host->script.messages, 100);
        assert_int_equal(client->host->script.half_closes, 1);
        client_free(client);
}

static void test_bidi(void **state)
{
        struct client *client = client_new(NULL);
        struct reply *reply = client_call(client, "Bidi", NULL, NULL);

        (void)state;
        for (unsigned i = 1; i <= 5; i++) {
                ask(client, reply, SCRIPT_ANSWER, 3, 100 * i * i * i);
                client_run(client);
                assert_int_equal(reply_messages(reply), 3 * i);
        }
        client_send(client, reply, "", 0, true);
        client_run(client);
        assert_status(reply, "0");
        client_free(client);
}

/* Credits: messages wait until the handler takes some again. */
static void test_read_credits(void **state)
{
        struct client *client = client_new(NULL);
        struct reply *reply = client_call(client, "ClientStream", NULL, NULL);

        (void)state;
        ask(client, reply, SCRIPT_STOP_READING, 3, 0);
        for (unsigned i = 0; i < 9; i++)
                ask(client, reply, SCRIPT_ANSWER, 0, 0);
        client_run(client);
        assert_int_equal(client->host->script.messages, 1 + 3);
        assert_false(reply->closed);
        client_reset(client, reply);
        client_run(client);
        assert_int_equal(client->host->script.messages, 4);
        assert_int_equal(client->host->script.cancels, 1);
        assert_int_equal(client->host->script.done, 1);
        client_free(client);
}

/* A call that is finished while the client still sends. */
static void test_early_finish(void **state)
{
        struct client *client = client_new(NULL);
        struct reply *reply = client_call(client, "Bidi", NULL, NULL);

        (void)state;
        ask(client, reply, SCRIPT_ANSWER, 2, 10);
        ask(client, reply, SCRIPT_FAIL, 0, 0);
        client_run(client);
        assert_string_equal(reply->status, "5");
        assert_int_equal(reply_messages(reply), 2);
        assert_true(reply->closed);
        assert_int_equal(client->host->script.done, 1);
        client_free(client);
}

/* Streams that are reset while their handlers run count against the limit (CVE-2023-44487). */
static void test_live_calls_are_bounded(void **state)
{
        const quoit_limits limits = { .streams_max = 4 };
        struct client *client = client_new(&limits);
        struct reply *reply;

        (void)state;
        for (unsigned i = 0; i < 4; i++) {
                reply = client_call(client, "Unary", NULL, NULL);
                client_act(client, reply, SCRIPT_POST, 0, 0);
        }
        /* handlers with a post that has not run: there is no turn in between */
        for (unsigned i = 0; i < 4; i++) {
                feed_only(client);
                if (i == 0)
                        host_turn(client->host);
                client_reset(client, client->replies + i);
        }
        feed_only(client);
        assert_int_equal(client->host->group.charged_to_peer, 4);
        client->host->group.charged_to_peer += 4; /* and four more */
        reply = client_call(client, "Unary", NULL, NULL);
        client_act(client, reply, SCRIPT_ANSWER, 0, 0);
        feed_only(client);
        assert_int_equal(client->host->group.count, 4);
        client->host->group.charged_to_peer -= 4;
        client_run(client);
        assert_true(reply->closed);
        assert_int_equal(reply->error_code, NGHTTP2_REFUSED_STREAM);

        reply = client_call(client, "Unary", NULL, NULL);
        client_act(client, reply, SCRIPT_ANSWER, 0, 0);
        client_run(client);
        assert_status(reply, "0");
        client_free(client);
}

/* The connection breaks while calls are in every state. */
static void test_connection_lost(void **state)
{
        struct client *client = client_new(NULL);

        (void)state;
        for (enum script_act act = 0; act < SCRIPT_ACTS; act++) {
                client_act(client, client_call(client, "Unary", NULL, NULL), act, 3, 9000);
                client_act(client, client_call(client, "ServerStream", NULL, NULL), act, 30, 9000);
                ask(client, client_call(client, "ClientStream", NULL, NULL), act, 0, 10);
                ask(client, client_call(client, "Bidi", NULL, NULL), act, 30, 9000);
        }
        for (unsigned i = 0; i < 3; i++) {
                feed_only(client);
                host_turn(client->host);
        }
        host_send(client->host, 50000);
        host_close(client->host); /* with a send in flight */
        host_turn(client->host);
        client_free(client);
}

/* A message is taken when nothing else happens on its connection: the window is opened for the peer all the same. */
static void test_a_window_is_opened_out_of_turn(void **state)
{
        const quoit_limits limits = { .stream_window_bytes = 20000 };
        struct client *client = client_new(&limits);
        static const char payload[15000];
        upb_Arena *arena = upb_Arena_New();
        script_Ask *ask = script_Ask_new(arena);
        struct reply *reply;

        (void)state;
        client_run(client); /* the client reads the window in our SETTINGS */
        client_run(client);
        reply = client_call(client, "ClientStream", NULL, NULL);
        script_Ask_set_act(ask, SCRIPT_STOP_READING);
        client_ask(client, reply, ask, false);
        feed_only(client);
        host_turn(client->host);
        script_Ask_set_act(ask, SCRIPT_ANSWER);
        script_Ask_set_payload(ask, upb_StringView_FromDataAndSize(payload, sizeof(payload)));
        client_ask(client, reply, ask, false);
        feed_only(client);
        while (host_send(client->host, 100000))
                host_sent(client->host);
        client->host->wants_output = false;
        assert_int_equal(client->host->script.messages, 1);
        host_turn(client->host); /* the handler posts itself its credits */
        assert_int_equal(client->host->script.messages, 2);
        assert_true(session_has_output(&client->host->session));
        assert_true(client->host->wants_output);
        upb_Arena_Free(arena);
        client_free(client);
}

/*
 * Interceptors see an end once, and not inside nghttp2's callbacks. on_end() in host.c asserts that, and finishes another call, as a
 * limit of running calls would. Ends: answered, reset before and after the handler, lost with the connection.
 */
static void test_ends_are_told_outside_the_session(void **state)
{
        struct client *client = client_new(NULL);
        struct host *host = client->host;
        struct reply *held = client_call(client, "Unary", NULL, NULL), *answered, *reset, *stream;

        (void)state;
        host_intercept(host);
        client_act(client, held, SCRIPT_HOLD, 0, 0);
        client_run(client);
        host->waiting = host->script.held[0];
        answered = client_call(client, "Unary", NULL, NULL);
        client_act(client, answered, SCRIPT_ANSWER, 0, 100);
        client_run(client);
        assert_status(answered, "0");
        assert_status(held, "14");
        assert_int_equal(host->ends, 2);

        reset = client_call(
                client, "Unary", NULL, NULL); /* no handler has it: it ends with its stream */
        stream = client_call(client, "ClientStream", NULL, NULL);
        client_run(client);
        client_reset(client, reset);
        client_reset(client, stream);
        client_run(client);
        assert_int_equal(host->ends, 4);

        client_call(client, "Unary", NULL, NULL);
        client_call(client, "Bidi", NULL, NULL);
        feed_only(client);
        assert_int_equal(host->ends, 4);
        host_close(host);
        client_run(client);
        assert_int_equal(host->ends, 6);
        client_free(client);
}

/* Streams are reset and the connection is ended inside nghttp2's callbacks: the log, too, hears of it behind them (on_log() in host.c). */
static void test_faults_are_logged_outside_the_session(void **state)
{
        static const char *const no_path[][2] = {
                { ":method", "POST" },
                { ":scheme", "http" },
                { "te", "trailers" },
                { NULL, NULL },
        };
        /* DATA of no stream: a fault of the connection, RFC 9113 section 5.1 */
        static const uint8_t idle_data[] = { 0, 0, 0, 0, 1, 0x7f, 0xff, 0xff, 0xff };
        struct client *client = client_new(NULL);
        struct host *host = client->host;

        (void)state;
        client_run(client);
        client_request(client, no_path, true);
        feed_only(client);
        client_run(client);
        assert_int_equal(host->log_lines, 1);
        assert_non_null(strstr(host->log_line, "malformed request: no :path"));

        for (int i = 0; i < 20; i++)
                client_request(client, no_path, true);
        client_run(client);
        assert_int_equal(host->log_lines, 10); /* a flood hides nothing else */

        host_feed(host, idle_data, sizeof(idle_data));
        client_run(client);
        assert_int_equal(host->log_lines, 11);
        assert_non_null(strstr(host->log_line, "HTTP/2: PROTOCOL_ERROR"));
        client_free(client);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_unary),
                cmocka_unit_test(test_failures),
                cmocka_unit_test(test_one_answer_is_due),
                cmocka_unit_test(test_answered_later),
                cmocka_unit_test(test_a_reply_over_the_limit_ends_the_hold),
                cmocka_unit_test(test_no_message),
                cmocka_unit_test(test_metadata_both_ways),
                cmocka_unit_test(test_deadline),
                cmocka_unit_test(test_server_stream),
                cmocka_unit_test(test_slow_reader),
                cmocka_unit_test(test_client_stream),
                cmocka_unit_test(test_bidi),
                cmocka_unit_test(test_read_credits),
                cmocka_unit_test(test_early_finish),
                cmocka_unit_test(test_live_calls_are_bounded),
                cmocka_unit_test(test_a_window_is_opened_out_of_turn),
                cmocka_unit_test(test_connection_lost),
                cmocka_unit_test(test_ends_are_told_outside_the_session),
                cmocka_unit_test(test_faults_are_logged_outside_the_session),
        };

        return cmocka_run_group_tests_name("server/calls", tests, NULL, NULL);
}
