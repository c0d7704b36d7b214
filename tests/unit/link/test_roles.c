/* SPDX-License-Identifier: MIT */

/* Connections of both roles, a server's and a client's, at the two ends of a socket. */

#include "world.h"

#include <errno.h>

#include "core/endpoint.h"

static void open_server(quoit_tls *tls)
{
        struct endpoint peer = { 0 };

        assert_int_equal(
                open_end(&world->server, &(struct connection_options){ .role = SESSION_SERVER,
                                                 .fd = world->fds[0],
                                                 .peer = &peer,
                                                 .tls = tls,
                                                 .handshakers = &world->workers,
                                                 .turn = world->turns }),
                0);
}

static void open_both(void)
{
        open_client();
        open_server(NULL);
}

static void start_tls(void)
{
        workers_init(&world->workers);
        assert_int_equal(workers_start(&world->workers, 1, "handshake"), 0);
        pki_init(&world->pki, "DNS:localhost");
}

static int try_open_tls_client(const char *name)
{
        static const quoit_tls_options options;
        const struct tls_client_rules rules = { .options = &options,
                .ca_file = world->pki.certificate_file };
        struct tls_context *context;
        struct tls_problem problem;
        int r;

        assert_int_equal(tls_context_new_client(&rules, &context, &problem), 0);
        r = try_open_client(context, name);
        tls_context_unref(context);
        return r;
}

static void open_both_in_tls(const char *name)
{
        static const quoit_tls_options options;

        world->tls = pki_rules(&world->pki, &options);
        assert_int_equal(try_open_tls_client(name), 0);
        open_server(world->tls);
}

static void stop_tls(void)
{
        workers_deinit(&world->workers);
        world->tls = quoit_tls_free(world->tls);
        pki_deinit(&world->pki);
}

/* ---- what a test does ---- */

static void answer(struct call *call, const char *body)
{
        static const nghttp2_nv status = { (uint8_t *)":status", (uint8_t *)"200", 7, 3, 0 };

        call_send(call, body, strlen(body));
        assert_int_equal(stream_respond(&call->exchange.stream, &status, 1, false), 0);
        connection_on_call_output(&world->server.connection.group);
}

static void assert_answered(const struct call *call, const char *body)
{
        assert_int_equal(call->closes, 1);
        assert_int_equal(call->error_code, NGHTTP2_NO_ERROR);
        assert_int_equal(call->ends, 1);
        assert_string_equal(call->status, "200");
        assert_string_equal(call->grpc_status, "0");
        assert_string_equal(call->text, body);
}

static void make_a_call(void)
{
        struct call *call = request("question");
        struct call *served = world->server.calls + world->server.count;

        UNTIL(served->ends == 1);
        assert_string_equal(served->text, "question");
        answer(served, "answer");
        UNTIL(call->closes == 1);
        assert_answered(call, "answer");
        UNTIL(served->closes == 1);
}

static void close_both(void)
{
        connection_close(&world->client.connection);
        UNTIL(world->client.freed && world->server.freed);
}

static void test_unary(void **state)
{
        struct world here;

        (void)state;
        world_init(&here);
        open_both();
        make_a_call();
        make_a_call();
        assert_open(&here.client);
        assert_open(&here.server);
        close_both();
        world_deinit();
}

static void test_unary_in_tls(void **state)
{
        struct world here;

        (void)state;
        world_init(&here);
        start_tls();
        open_both_in_tls("localhost");
        make_a_call();
        make_a_call();
        assert_non_null(here.client.connection.peer.tls);
        close_both();
        stop_tls();
        world_deinit();
}

/* The calls that were begun are told. */
static void test_another_server(void **state)
{
        struct world here;
        struct call *call;

        (void)state;
        world_init(&here);
        start_tls();
        open_both_in_tls("elsewhere");
        call = request("secret");
        UNTIL(here.client.freed && here.server.freed);
        assert_int_equal(call->closes, 1);
        assert_true(call->exchange.stream.unsent);
        assert_non_null(strstr(here.client.complaint, "TLS: "));
        assert_int_equal(here.server.count, 0);
        stop_tls();
        world_deinit();
}

static void test_no_such_name(void **state)
{
        struct world here;

        (void)state;
        world_init(&here);
        start_tls();
        assert_int_equal(try_open_tls_client(""), -EINVAL);
        close(here.fds[0]);
        close(here.fds[1]);
        stop_tls();
        world_deinit();
}

/* The server's age, which a client with the same limits does not have. */
static void test_goaway(void **state)
{
        struct world here;
        struct call *call;

        (void)state;
        world_init(&here);
        here.limits.connection_age_ms = 50;
        open_both();
        call = request("question");
        UNTIL(here.server.connection.session.drain == DRAIN_DONE && here.client.goaways == 2);
        assert_int_equal(here.client.connection.session.drain, DRAIN_NONE);
        assert_int_equal(session_streams_left(&here.client.connection.session), 0);
        assert_int_equal(call->closes, 0);
        answer(here.server.calls, "answer");
        UNTIL(call->closes == 1);
        assert_answered(call, "answer");
        UNTIL(here.client.freed && here.server.freed);
        assert_string_equal(here.client.complaint, "");
        world_deinit();
}

/* A client that drains begins no more calls, and those that run finish. */
static void test_drain(void **state)
{
        struct world here;
        struct call *call;

        (void)state;
        world_init(&here);
        open_both();
        make_a_call();
        call = request("question");
        UNTIL(here.server.count == 2 && here.server.calls[1].ends == 1);
        connection_drain(&here.client.connection);
        UNTIL(here.client.connection.session.drain == DRAIN_DONE);
        assert_int_equal(session_streams_left(&here.client.connection.session), 0);
        answer(here.server.calls + 1, "answer");
        UNTIL(here.client.freed && here.server.freed);
        assert_answered(call, "answer");
        world_deinit();
}

static void test_peer_vanishes(void **state)
{
        struct world here;
        struct call *call;

        (void)state;
        world_init(&here);
        open_both();
        call = request("question");
        UNTIL(here.server.count == 1 && here.server.calls->ends == 1);
        connection_close(&here.server.connection);
        UNTIL(here.client.freed && here.server.freed);
        assert_int_equal(call->closes, 1);
        assert_int_equal(call->error_code, NGHTTP2_CANCEL);
        assert_int_equal(here.client.settings, 1);
        world_deinit();
}

/* To a client a reset is an answer. Its server is not expelled for more than resets_burst_max. */
static void test_resets(void **state)
{
        struct world here;

        (void)state;
        world_init(&here);
        open_both();
        for (unsigned i = 0; i < 10; i++) {
                struct call *call = request("question");

                UNTIL(here.server.count == i + 1 && here.server.calls[i].ends == 1);
                stream_reset(&here.server.calls[i].exchange.stream, NGHTTP2_CANCEL);
                connection_on_call_output(&here.server.connection.group);
                UNTIL(call->closes == 1);
                assert_int_equal(call->error_code, NGHTTP2_CANCEL);
        }
        assert_open(&here.client);
        close_both();
        world_deinit();
}

/* A call that is woken while it stands in line runs, whether or not anything else happens on its connection. */
static void wake_in_line(void)
{
        struct call_group *group = &world->server.connection.group;

        world->waiting_runs = world->waker_runs = 0;
        world->waiting.group = world->waker.group = group;
        list_init(&world->waiting.ready);
        list_init(&world->waker.ready);
        connection_on_call_ready(&world->waiting);
        connection_on_call_ready(&world->waker);
        UNTIL(world->waiting_runs == 2);
        assert_int_equal(world->waker_runs, 1);
        assert_true(list_is_empty(&world->server.connection.ready));
}

static void test_woken_in_line(void **state)
{
        struct world here;
        struct call_group *group = &here.server.connection.group;

        (void)state;
        world_init(&here);
        open_both();
        make_a_call();
        wake_in_line();
        group->count++; /* calls outlive the socket */
        connection_close(&here.server.connection);
        wake_in_line();
        UNTIL(here.server.closed);
        wake_in_line();
        assert_false(here.server.freed);
        group->count--;
        group->host->on_freed(group->host->user, group);
        UNTIL(here.client.freed && here.server.freed);
        world_deinit();
}

/* A request that its server does not take is given up, by the client's owner; its connection and the calls beside it go on. */
static void test_request_stalls(void **state)
{
        static char body[300];
        struct world here;
        struct call *slow;

        (void)state;
        memset(body, 'x', sizeof(body) - 1);
        world_init(&here);
        here.limits.stream_window_bytes = 100;
        here.limits.window_stall_ms = 50;
        open_both();
        make_a_call();
        here.server.holds = true;
        slow = request(body);
        UNTIL(slow->exchange.writer.queued_bytes == sizeof(body) - 1 - 100);
        turn_for(&here.base->ring, MS);
        here.server.holds = false;
        while (!slow->given_up) {
                make_a_call();
                turn_for(&here.base->ring, 10 * MS);
        }
        assert_non_null(strstr(slow->given_up, "window_stall_ms"));
        UNTIL(slow->closes == 1 && here.server.calls[1].closes == 1);
        assert_int_equal(here.client.connection.group.queued_bytes, 0);
        make_a_call();
        assert_open(&here.client);
        assert_open(&here.server);
        close_both();
        world_deinit();
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_unary),
                cmocka_unit_test(test_unary_in_tls),
                cmocka_unit_test(test_another_server),
                cmocka_unit_test(test_no_such_name),
                cmocka_unit_test(test_goaway),
                cmocka_unit_test(test_drain),
                cmocka_unit_test(test_peer_vanishes),
                cmocka_unit_test(test_resets),
                cmocka_unit_test(test_woken_in_line),
                cmocka_unit_test(test_request_stalls),
        };

        return RUN_ON_BOTH_ENGINES("link/roles", tests);
}
