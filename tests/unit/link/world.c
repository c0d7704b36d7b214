/* SPDX-License-Identifier: MIT */
#include "world.h"

#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>

#include "core/endpoint.h"

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
        struct call *call = end->calls + end->count++;

        assert_true(end->count < CALLS_MAX);
        end->connection.group.count++;
        exchange_init(&call->exchange, &end->connection.group);
        return call;
}

static struct stream *on_stream(void *user)
{
        return &new_call(end_of(user))->exchange.stream;
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

        if (end_of(call->exchange.group)->holds)
                return;
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
        size_t queued = call->exchange.writer.queued_bytes;
        struct session_pull pull = { .size = queued < size_max ? queued : size_max };

        pull.last = call->finish && pull.size == queued;
        if (pull.last && stream->session->role == SESSION_SERVER)
                assert_int_equal(stream_submit_trailers(stream, &trailers, 1), 0);
        return pull;
}

static void on_write(struct stream *stream, struct output *output, size_t size)
{
        writer_write(&of(stream)->exchange, output, size);
}

static void on_close(struct stream *stream, uint32_t error_code)
{
        struct call *call = of(stream);
        struct call_group *group = call->exchange.group;

        call->closes++;
        call->error_code = error_code;
        exchange_deinit(&call->exchange);
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

static void on_settings(void *user)
{
        end_of(user)->settings++;
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
        .on_settings = on_settings,
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

static void give_up(struct exchange *exchange, const char *why)
{
        of(&exchange->stream)->given_up = why;
        stream_reset(&exchange->stream, NGHTTP2_CANCEL);
        connection_on_call_output(exchange->group);
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

/* The first call waits for something that the second one does in the same run. */
static enum dispatched run_call(struct exchange *exchange, bool in_line)
{
        (void)in_line;
        if (exchange == &world->waiting)
                return ++world->waiting_runs == 1 ? DISPATCHED_BUSY : DISPATCHED_ALL;
        assert_ptr_equal(exchange, &world->waker);
        if (++world->waker_runs == 1)
                connection_on_call_ready(&world->waiting);
        return DISPATCHED_ALL;
}

static const struct link_owner owner = {
        .events = &events,
        .run_call = run_call,
        .give_up = give_up,
        .answer_bad_preface = on_bad_preface,
        .complain = complain,
        .on_closed = on_closed,
        .on_freed = on_freed,
};

/* ---- a world ---- */

struct world *world;

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
        .header_block_ms = 10000,
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
        .request_stall_ms = 20000,
        .request_bytes_per_second_min = 1,
};

void world_init_on(struct world *made, enum ring_engine engine)
{
        const struct base_options options = {
                .ring.engine = engine,
                .memory_bytes_max = SIZE_MAX,
                .limits = &made->limits,
        };

        *made = (struct world){ .limits = calm_limits, .base = &made->own_base };
        world = made;
        assert_int_equal(base_init(&made->own_base, &options), 0);
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, made->fds), 0);
}

int open_end(struct end *end, const struct connection_options *options)
{
        return connection_open(&end->connection, world->base, &owner, options);
}

int try_open_client(struct tls_context *tls, const char *name)
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

void open_client(void)
{
        assert_int_equal(try_open_client(NULL, NULL), 0);
}

static void assert_streams_told(const struct end *end)
{
        for (unsigned i = 0; i < end->count; i++)
                assert_int_equal(end->calls[i].closes, 1);
        assert_int_equal(end->connection.group.count, 0);
}

void world_borrow(struct world *made, struct base *base, int fd)
{
        *made = (struct world){ .base = base, .fds = { -1, fd } };
        world = made;
}

void world_return(void)
{
        assert_true(world->client.freed);
        assert_streams_told(&world->client);
}

void world_deinit(void)
{
        assert_streams_told(&world->server);
        assert_streams_told(&world->client);
        assert_true(list_is_empty(&world->base->connections));
        assert_int_equal(world->base->memory.live, 0);
        assert_int_equal(world->base->outputs.live, 0);
        base_deinit(world->base);
        base_free_calls(world->base);
}

void call_send(struct call *call, const void *body, size_t size)
{
        call->body =
                (struct segment){ .data = body, .size = size, .release = writer_release_nothing };
        writer_append_segment(&call->exchange, &call->body);
        call->finish = true;
}

struct call *request_to(const char *path, const void *body, size_t size)
{
        const nghttp2_nv fields[] = {
                { (uint8_t *)":method", (uint8_t *)"POST", 7, 4, 0 },
                { (uint8_t *)":scheme", (uint8_t *)"http", 7, 4, 0 },
                { (uint8_t *)":path", (uint8_t *)path, 5, strlen(path), 0 },
                { (uint8_t *)":authority", (uint8_t *)"localhost", 10, 9, 0 },
                { (uint8_t *)"te", (uint8_t *)"trailers", 2, 8, 0 },
                { (uint8_t *)"content-type", (uint8_t *)"application/grpc", 12, 16, 0 },
        };
        struct call *call = new_call(&world->client);

        call_send(call, body, size);
        assert_int_equal(session_request(&world->client.connection.session, &call->exchange.stream,
                                 fields, sizeof(fields) / sizeof(*fields), false),
                0);
        connection_on_call_output(&world->client.connection.group);
        return call;
}

void assert_open(const struct end *end)
{
        assert_int_equal(end->connection.state, CONNECTION_OPEN);
        assert_true(end->connection.established);
        assert_string_equal(end->complaint, "");
}
