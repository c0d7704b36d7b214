/* SPDX-License-Identifier: MIT */
#include "stage.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

#include "client/channel.h"

/* ---- servers ---- */

static void *serve(void *arg)
{
        assert_int_equal(quoit_server_run(arg), 0);
        return NULL;
}

void stage_serve(struct stage *stage, unsigned index, uint16_t port, const quoit_limits *limits)
{
        stage_serve_at(stage, index, "127.0.0.1", port, limits);
}

void stage_serve_at(struct stage *stage, unsigned index, const char *host, uint16_t port,
        const quoit_limits *limits)
{
        struct stage_server *made = stage->servers + index;
        quoit_server_options options = {
                .engine = on_uring() ? QUOIT_ENGINE_IO_URING : QUOIT_ENGINE_EPOLL,
        };
        char address[32];

        if (limits)
                options.limits = *limits;
        options.limits.drain_ms = 100;
        made->script = (struct script){ 0 };
        snprintf(address, sizeof(address), "%s:%u", host, port);
        assert_int_equal(quoit_server_new(&options, &made->server), 0);
        assert_int_equal(script_register(made->server, &made->script), 0);
        if (stage->on_server)
                stage->on_server(made->server);
        assert_int_equal(
                stage->tls ? quoit_server_listen_tls(made->server, address, stage->tls, &made->port)
                           : quoit_server_listen(made->server, address, &made->port),
                0);
        snprintf(made->target, sizeof(made->target), "%s:%u", host, made->port);
        assert_int_equal(pthread_create(&made->thread, NULL, serve, made->server), 0);
}

void stage_end_server(struct stage *stage, unsigned index)
{
        struct stage_server *made = stage->servers + index;

        quoit_server_stop(made->server);
        assert_int_equal(pthread_join(made->thread, NULL), 0);
        assert_int_equal(made->script.started, made->script.done);
        made->server = quoit_server_free(made->server);
}

int stage_bound_socket(uint16_t *ret_port)
{
        struct sockaddr_in address = { .sin_family = AF_INET,
                .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        socklen_t size = sizeof(address);
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
        assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
        *ret_port = ntohs(address.sin_port);
        return fd;
}

/* ---- the client ---- */

void stage_init(struct stage *stage, const quoit_client_limits *limits)
{
        quoit_client_options options = { 0 };

        if (limits)
                options.limits = *limits;
        stage_init_with(stage, options);
}

void stage_init_with(struct stage *stage, quoit_client_options options)
{
        options.engine = on_uring() ? QUOIT_ENGINE_IO_URING : QUOIT_ENGINE_EPOLL;
        *stage = (struct stage){ 0 };
        assert_int_equal(quoit_client_new(&options, &stage->client), 0);
}

void stage_open(struct stage *stage, const char *target)
{
        stage_open_with(stage, target, NULL);
}

void stage_open_with(struct stage *stage, const char *target, const quoit_channel_options *options)
{
        assert_int_equal(quoit_channel_new(stage->client, target, options, &stage->channel), 0);
}

void stage_begin(struct stage *stage)
{
        stage_begin_with(stage, (quoit_client_options){ 0 });
}

void stage_begin_with(struct stage *stage, quoit_client_options options)
{
        stage_init_with(stage, options);
        stage_serve(stage, 0, 0, NULL);
        stage_open(stage, stage->servers[0].target);
}

void stage_begin_configured(
        struct stage *stage, const quoit_client_limits *limits, const char *config)
{
        const quoit_channel_options options = { .service_config = config };

        stage_init(stage, limits);
        stage_serve(stage, 0, 0, NULL);
        stage_open_with(stage, stage->servers[0].target, &options);
}

void stage_deinit(struct stage *stage)
{
        stage->channel = quoit_channel_free(stage->channel);
        assert_null(quoit_client_free(stage->client));
        for (unsigned i = 0; i < STAGE_SERVERS_MAX; i++) {
                if (stage->servers[i].server)
                        stage_end_server(stage, i);
        }
}

struct step {
        void (*fn)(void *arg);
        void *arg;
        atomic_bool is_over;
};

static void run_step(quoit_client *client, void *arg)
{
        struct step *step = arg;

        (void)client;
        step->fn(step->arg);
        atomic_store(&step->is_over, true);
}

void stage_run(struct stage *stage, void (*fn)(void *arg), void *arg)
{
        struct step step = { .fn = fn, .arg = arg };

        assert_int_equal(quoit_client_post(stage->client, run_step, &step), 0);
        WAIT(atomic_load(&step.is_over));
}

/* ---- calls ---- */

const quoit_method *script_method(quoit_method_kind kind)
{
        static const char *const names[] = { [QUOIT_UNARY] = "Unary",
                [QUOIT_SERVER_STREAMING] = "ServerStream",
                [QUOIT_CLIENT_STREAMING] = "ClientStream",
                [QUOIT_BIDI] = "Bidi" };
        const quoit_method *method =
                quoit_service_method(&quoit_script__Script_service, names[kind]);

        assert_int_equal(method->kind, kind);
        return method;
}

static void on_headers(quoit_outcall *call, void *user)
{
        (void)call;
        ((struct told *)user)->headers++;
}

static void on_message(quoit_outcall *call, const struct upb_Message *message, void *user)
{
        struct told *told = user;
        const script_Told *reply = (const script_Told *)message;

        (void)call;
        assert_int_equal(told->dones, 0);
        told->messages++;
        told->last_number = script_Told_number(reply);
        told->bytes += script_Told_payload(reply).size;
}

static void on_writable(quoit_outcall *call, void *user)
{
        (void)call;
        ((struct told *)user)->writables++;
}

static void on_done(quoit_outcall *call, quoit_status status, void *user)
{
        struct told *told = user;
        upb_StringView value;
        quoit_error error;

        quoit_outcall_get_error(call, &error);
        assert_int_equal(error.status, status);
        told->status = status;
        strcpy(told->text, quoit_error_text(&error));
        if (quoit_outcall_trailer(call, "x-test", &value))
                snprintf(told->trailer, sizeof(told->trailer), "%.*s", (int)value.size, value.data);
        told->call = NULL;
        atomic_fetch_add(&told->dones, 1);
}

const quoit_outcall_handler told_handler = {
        .on_headers = on_headers,
        .on_message = on_message,
        .on_writable = on_writable,
        .on_done = on_done,
};

void told_start(void *arg)
{
        struct told *told = arg;
        bool streams = told->kind == QUOIT_CLIENT_STREAMING || told->kind == QUOIT_BIDI;
        unsigned asks = streams && told->asks > 0 ? told->asks : 1;

        assert_int_equal(quoit_outcall_start(told->stage->channel, script_method(told->kind),
                                 told->options, &told_handler, told, &told->call),
                0);
        for (unsigned i = 0; i < asks; i++) {
                upb_Arena *arena = upb_Arena_New();
                script_Ask *ask = script_Ask_new(arena);

                script_Ask_set_act(ask, told->act);
                script_Ask_set_count(ask, told->count);
                script_Ask_set_size(ask, told->size);
                assert_int_equal(
                        quoit_outcall_send(told->call, (const struct upb_Message *)ask), 0);
                upb_Arena_Free(arena);
        }
        if (!told->keeps_open)
                quoit_outcall_half_close(told->call);
}

void told_start_with_two_credits(void *arg)
{
        struct told *told = arg;

        told_start(told);
        quoit_outcall_set_read_credits(told->call, 2);
        assert_int_equal(quoit_outcall_read_credits(told->call), 2);
}

void told_read_on(void *arg)
{
        struct told *told = arg;

        assert_int_equal(quoit_outcall_read_credits(told->call), 0);
        quoit_outcall_set_read_credits(told->call, QUOIT_CREDITS_UNLIMITED);
}

void told_cancel(void *arg)
{
        quoit_outcall_cancel(((struct told *)arg)->call);
}

void told_wait(struct told *told)
{
        WAIT(atomic_load(&told->dones) > 0);
        assert_int_equal(atomic_load(&told->dones), 1);
}

void told_call(struct stage *stage, struct told *told)
{
        told->stage = stage;
        stage_run(stage, told_start, told);
        told_wait(told);
}

void stage_call_ok(struct stage *stage)
{
        struct told told = { 0 };

        told_call(stage, &told);
        assert_string_equal(told.text, "OK");
}

void stage_calls_ok(struct stage *stage)
{
        struct told told[STAGE_CALLS_AT_ONCE] = { 0 };

        for (unsigned i = 0; i < STAGE_CALLS_AT_ONCE; i++) {
                told[i].stage = stage;
                stage_run(stage, told_start, told + i);
        }
        for (unsigned i = 0; i < STAGE_CALLS_AT_ONCE; i++) {
                told_wait(told + i);
                assert_string_equal(told[i].text, "OK");
        }
}

quoit_status call_blocking(quoit_channel *channel, uint32_t act, quoit_error *ret_error)
{
        upb_Arena *arena = upb_Arena_New();
        script_Ask *ask = script_Ask_new(arena);
        const struct upb_Message *reply;
        quoit_status status;

        script_Ask_set_act(ask, act);
        status = quoit_unary_blocking(channel, script_method(QUOIT_UNARY), arena,
                (const struct upb_Message *)ask, NULL, &reply, ret_error);
        upb_Arena_Free(arena);
        return status;
}
