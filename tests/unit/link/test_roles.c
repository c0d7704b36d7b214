/* SPDX-License-Identifier: MIT */

/*
 * Connections of both roles on one ring. Their owner is the test, and their calls are plain streams. Where a server has to be silent or
 * rude it is the bare other end of the socket.
 */

#include "../core/harness.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>

#include "core/endpoint.h"
#include "link/base.h"
#include "link/connection.h"
#include "link/owner.h"
#include "link/workers.h"
#include "pki.h"

#define CALLS_MAX 16

struct call {
        struct stream stream; /* first */
        char text[64]; /* received */
        char status[8], grpc_status[8];
        unsigned ends, closes;
        uint32_t error_code;
        const char *body; /* to be sent */
        bool finish; /* the end behind it */
};

struct end {
        struct connection connection;
        struct call calls[CALLS_MAX];
        unsigned count, goaways, rude;
        char complaint[128];
        bool closed, freed;
};

struct world {
        struct base base;
        quoit_limits limits;
        struct workers workers;
        struct turn turns[2];
        struct pki pki;
        quoit_tls *tls; /* the server's */
        struct end server, client;
        int fds[2]; /* of the server, of the client */
};

/* ---- the owner ---- */

static struct end *end_of(struct call_group *group)
{
        return CONTAINER_OF(group, struct end, connection.group);
}

static struct call *of(struct stream *stream)
{
        return (struct call *)stream;
}

static struct call *new_call(struct end *end)
{
        assert_true(end->count < CALLS_MAX);
        end->connection.group.count++;
        return end->calls + end->count++;
}

static struct stream *on_stream(void *user)
{
        return &new_call(end_of(user))->stream;
}

static void keep(char *to, size_t size_max, const char *name, const struct session_field *field)
{
        if (field->name_size != strlen(name) || memcmp(field->name, name, field->name_size) != 0)
                return;
        assert_true(field->value_size < size_max);
        memcpy(to, field->value, field->value_size);
}

static void on_field(struct stream *stream, const struct session_field *field)
{
        keep(of(stream)->status, sizeof(of(stream)->status), ":status", field);
        keep(of(stream)->grpc_status, sizeof(of(stream)->grpc_status), "grpc-status", field);
}

static void on_headers(struct stream *stream, bool oversize)
{
        (void)stream;
        assert_false(oversize);
}

static void on_data(struct stream *stream, const uint8_t *data, size_t size)
{
        struct call *call = of(stream);

        assert_true(strlen(call->text) + size < sizeof(call->text));
        strncat(call->text, (const char *)data, size);
        stream_consume(stream, (uint32_t)size);
}

static void on_end(struct stream *stream)
{
        of(stream)->ends++;
}

static struct session_pull on_pull(struct stream *stream, size_t size_max)
{
        static const nghttp2_nv trailers = { (uint8_t *)"grpc-status", (uint8_t *)"0", 11, 1, 0 };
        struct call *call = of(stream);
        struct session_pull pull = { .size = call->body ? strlen(call->body) : 0 };

        assert_true(pull.size <= size_max);
        pull.last = call->finish;
        if (pull.last && stream->session->role == SESSION_SERVER)
                assert_int_equal(stream_submit_trailers(stream, &trailers, 1), 0);
        return pull;
}

static void on_write(struct stream *stream, struct output *output, size_t size)
{
        output_copy(output, of(stream)->body, size);
        of(stream)->body = NULL;
}

static struct world *world; /* on_close has no other way to it */

static void on_close(struct stream *stream, uint32_t error_code)
{
        struct call *call = of(stream);
        bool is_server = call >= world->server.calls && call < world->server.calls + CALLS_MAX;
        struct call_group *group = &(is_server ? &world->server : &world->client)->connection.group;

        call->closes++;
        call->error_code = error_code;
        group->count--;
        group->host->on_freed(group->host->user, group);
}

static void on_fault(void *user, uint32_t error_code, const char *text, size_t size)
{
        (void)user;
        (void)error_code;
        (void)text;
        (void)size;
}

static void on_goaway(void *user, const struct session_goaway *goaway)
{
        assert_int_equal(goaway->error_code, NGHTTP2_NO_ERROR);
        end_of(user)->goaways++;
}

static const struct session_events events = {
        .on_stream = on_stream,
        .on_field = on_field,
        .on_headers = on_headers,
        .on_data = on_data,
        .on_end = on_end,
        .on_pull = on_pull,
        .on_write = on_write,
        .on_close = on_close,
        .on_fault = on_fault,
        .on_goaway = on_goaway,
};

static struct end *end_of_connection(const struct connection *connection)
{
        return CONTAINER_OF(connection, struct end, connection);
}

static bool on_bad_preface(struct connection *connection, bool whole)
{
        (void)whole;
        assert_int_equal(connection->session.role, SESSION_CLIENT);
        end_of_connection(connection)->rude++;
        return true;
}

static void complain(const struct connection *connection, const char *format, ...)
{
        struct end *end = end_of_connection(connection);
        va_list arguments;

        va_start(arguments, format);
        vsnprintf(end->complaint, sizeof(end->complaint), format, arguments);
        va_end(arguments);
}

static void on_closed(struct connection *connection)
{
        end_of_connection(connection)->closed = true;
}

static void on_freed(struct connection *connection)
{
        assert_true(end_of_connection(connection)->closed);
        end_of_connection(connection)->freed = true;
}

static const struct link_owner owner = {
        .events = &events,
        .answer_bad_preface = on_bad_preface,
        .complain = complain,
        .on_closed = on_closed,
        .on_freed = on_freed,
};

/* ---- a world ---- */

static const quoit_limits calm_limits = {
        .streams_max = 32,
        .header_fields_max = 128,
        .header_bytes_max = 8 << 10,
        .header_bytes_hard_max = 16 << 10,
        .stream_window_bytes = 64 << 10,
        .window_bytes_max = 64 << 10,
        .connection_window_bytes = 256 << 10,
        .connection_receive_bytes_max = 1 << 20,
        .connection_send_bytes_max = 1 << 20,
        .frame_bytes_max = 32 << 10,
        .continuation_frames_max = 8,
        .control_queue_max = 100,
        .empty_frames_max = 100,
        .glitches_burst_max = 100,
        .glitches_per_second = 1,
        .resets_burst_max = 4,
        .resets_per_second = 1,
        .turn_calls_max = 16,
        .turn_bytes_max = 64 << 10,
        .handshake_ms = 10000,
        .handshake_bytes_max = 64 << 10,
        .handshakes_queued_max = 16,
        .connection_idle_ms = UINT32_MAX,
        .connection_age_ms = UINT32_MAX,
        .connection_age_grace_ms = UINT32_MAX,
        .keepalive_ms = UINT32_MAX,
        .keepalive_timeout_ms = 100,
        .ping_strikes_max = 2,
        .ping_interval_min_ms = 10000,
        .ping_interval_idle_min_ms = 10000,
        .stall_ms = 20000,
        .window_stall_ms = 20000,
        .read_bytes_per_second_min = 1,
};

static void world_init(struct world *made)
{
        const struct base_options options = {
                .ring.engine = engine_under_test,
                .memory_bytes_max = SIZE_MAX,
                .limits = &made->limits,
        };

        *made = (struct world){ .limits = calm_limits };
        world = made;
        assert_int_equal(base_init(&made->base, &options), 0);
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, made->fds), 0);
}

static int open_end(struct end *end, const struct connection_options *options)
{
        return connection_open(&end->connection, &world->base, &owner, options);
}

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

static int try_open_client(struct tls_context *tls, const char *name)
{
        struct endpoint peer = { 0 };

        return open_end(&world->client, &(struct connection_options){ .role = SESSION_CLIENT,
                                                .fd = world->fds[1],
                                                .peer = &peer,
                                                .client_tls = tls,
                                                .server_name = name,
                                                .handshakers = &world->workers,
                                                .turn = world->turns + 1 });
}

static void open_client(void)
{
        assert_int_equal(try_open_client(NULL, NULL), 0);
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

static void assert_streams_told(const struct end *end)
{
        for (unsigned i = 0; i < end->count; i++)
                assert_int_equal(end->calls[i].closes, 1);
        assert_int_equal(end->connection.group.count, 0);
}

/* Both connections have ended. */
static void world_deinit(void)
{
        assert_streams_told(&world->server);
        assert_streams_told(&world->client);
        assert_true(list_is_empty(&world->base.connections));
        assert_int_equal(world->base.memory.live, 0);
        assert_int_equal(world->base.outputs.live, 0);
        base_deinit(&world->base);
        base_free_calls(&world->base);
}

#define UNTIL(condition) TURN_UNTIL(&world->base.ring, condition)

/* ---- what a test does ---- */

static struct call *request(const char *body)
{
        static const nghttp2_nv fields[] = {
                { (uint8_t *)":method", (uint8_t *)"POST", 7, 4, 0 },
                { (uint8_t *)":scheme", (uint8_t *)"http", 7, 4, 0 },
                { (uint8_t *)":path", (uint8_t *)"/a", 5, 2, 0 },
                { (uint8_t *)":authority", (uint8_t *)"localhost", 10, 9, 0 },
        };
        struct call *call = new_call(&world->client);

        call->body = body;
        call->finish = true;
        assert_int_equal(
                session_request(&world->client.connection.session, &call->stream, fields, 4, false),
                0);
        connection_on_call_output(&world->client.connection.group);
        return call;
}

static void answer(struct call *call, const char *body)
{
        static const nghttp2_nv status = { (uint8_t *)":status", (uint8_t *)"200", 7, 3, 0 };

        call->body = body;
        call->finish = true;
        assert_int_equal(stream_respond(&call->stream, &status, 1, false), 0);
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

static void assert_open(const struct end *end)
{
        assert_int_equal(end->connection.state, CONNECTION_OPEN);
        assert_true(end->connection.established);
        assert_string_equal(end->complaint, "");
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
        assert_true(call->stream.unsent);
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
                stream_reset(&here.server.calls[i].stream, NGHTTP2_CANCEL);
                connection_on_call_output(&here.server.connection.group);
                UNTIL(call->closes == 1);
                assert_int_equal(call->error_code, NGHTTP2_CANCEL);
        }
        assert_open(&here.client);
        close_both();
        world_deinit();
}

/* ---- a bare server ---- */

static const char settings[] = "\0\0\0\4\0\0\0\0";
static const char ping[] = "\0\0\x08\6\0\0\0\0\0quoit!!";

static void say(const void *bytes, size_t size)
{
        assert_int_equal(send(world->fds[0], bytes, size, MSG_NOSIGNAL), (ssize_t)size);
}

/* How many frames of @type, without ACK, the client has sent since this was last asked. The preface is skipped. */
static unsigned heard(uint8_t type)
{
        static uint8_t bytes[65536];
        ssize_t size = recv(world->fds[0], bytes, sizeof(bytes), MSG_DONTWAIT);
        size_t at = size >= 3 && memcmp(bytes, "PRI", 3) == 0 ? NGHTTP2_CLIENT_MAGIC_LEN : 0;
        unsigned count = 0;

        while (size > 0 && at + 9 <= (size_t)size) {
                count += bytes[at + 3] == type && !(bytes[at + 4] & NGHTTP2_FLAG_ACK);
                at += 9 + ((size_t)bytes[at] << 16 | (size_t)bytes[at + 1] << 8 | bytes[at + 2]);
        }
        return count;
}

static void leave(void)
{
        close(world->fds[0]);
        UNTIL(world->client.freed);
        world_deinit();
}

/* A client speaks first. */
static void test_silent_server(void **state)
{
        struct world here;

        (void)state;
        world_init(&here);
        here.limits.handshake_ms = 50;
        open_client();
        UNTIL(here.client.freed);
        assert_int_equal(heard(NGHTTP2_SETTINGS), 1);
        assert_non_null(strstr(here.client.complaint, "SETTINGS"));
        leave();
}

static void test_another_protocol(void **state)
{
        static const char text[] = "HTTP/1.1 400 Bad Request\r\n\r\n";
        struct world here;
        struct call *call;

        (void)state;
        world_init(&here);
        open_client();
        call = request("question");
        say(text, sizeof(text) - 1);
        UNTIL(here.client.rude == 1);
        assert_memory_equal(here.client.connection.session.beginning, text, sizeof(text) - 1);
        close(here.fds[0]);
        UNTIL(here.client.freed);
        assert_int_equal(call->closes, 1);
        world_deinit();
}

static void test_idle(void **state)
{
        struct world here;

        (void)state;
        world_init(&here);
        here.limits.connection_idle_ms = 100;
        open_client();
        request("question");
        say(settings, 9);
        turn_for(&here.base.ring, 300 * MS);
        assert_open(&here.client);
        assert_int_equal(heard(NGHTTP2_GOAWAY), 0);
        connection_on_call_output(&here.client.connection.group);
        stream_reset(&here.client.calls->stream, NGHTTP2_CANCEL);
        UNTIL(here.client.calls->closes == 1);
        assert_int_equal(here.client.connection.session.drain, DRAIN_NONE);
        UNTIL(here.client.connection.state == CONNECTION_LINGERING);
        assert_int_equal(heard(NGHTTP2_GOAWAY), 1);
        assert_string_equal(here.client.complaint, "");
        leave();
}

/* Only while it has calls does a client ask whether its server is there. */
static void test_keepalive(void **state)
{
        struct world here;

        (void)state;
        world_init(&here);
        here.limits.keepalive_ms = 50;
        open_client();
        say(settings, 9);
        turn_for(&here.base.ring, 300 * MS);
        assert_open(&here.client);
        assert_int_equal(heard(NGHTTP2_PING), 0);
        request("question");
        UNTIL(here.client.freed);
        assert_int_equal(heard(NGHTTP2_PING), 1);
        assert_string_equal(here.client.complaint, "no answer to a PING; closed");
        leave();
}

/* More PINGs than a server would allow are no fault of a server; without end they are. */
static void test_pings(void **state)
{
        struct world here;

        (void)state;
        world_init(&here);
        open_client();
        say(settings, 9);
        for (unsigned i = 0; i < 20; i++)
                say(ping, 17);
        UNTIL(here.client.connection.established);
        turn_for(&here.base.ring, 50 * MS);
        assert_open(&here.client);
        for (unsigned i = 0; i < 90; i++)
                say(ping, 17);
        UNTIL(here.client.connection.state > CONNECTION_OPEN);
        assert_string_equal(here.client.complaint, "too many useless frames; closed");
        leave();
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
                cmocka_unit_test(test_silent_server),
                cmocka_unit_test(test_another_protocol),
                cmocka_unit_test(test_idle),
                cmocka_unit_test(test_keepalive),
                cmocka_unit_test(test_pings),
        };

        return RUN_ON_BOTH_ENGINES("link/roles", tests);
}
