/* SPDX-License-Identifier: MIT */
#include "front.h"

#include <stdio.h>

struct relay {
        struct front *front;
        quoit_call *call;
        pthread_t thread;
        bool has_answered;
};

/* ---- handlers ---- */

static void note_thread(struct front *front)
{
        const void *mine = __builtin_thread_pointer(), *none = NULL;

        if (!atomic_compare_exchange_strong(&front->threads[0], &none, mine) && none != mine)
                atomic_store(&front->threads[1], mine);
}

static void on_message(quoit_outcall *outcall, const struct upb_Message *message, void *user)
{
        struct relay *relay = user;

        (void)outcall;
        relay->has_answered = true;
        script_Script_Unary_reply(relay->call, (const script_Told *)message);
}

/* The fields of a trace, as script.c sends them back. */
static void note_trace(struct front *front, const quoit_outcall *outcall)
{
        upb_StringView name, value;
        size_t cursor = 0;

        front->trace[0] = '\0';
        while (quoit_outcall_header_next(outcall, &cursor, &name, &value)) {
                size_t used = strlen(front->trace);

                if (memmem(name.data, name.size, "trace", 5))
                        snprintf(front->trace + used, sizeof(front->trace) - used, "%.*s=%.*s ",
                                (int)name.size, name.data, (int)value.size, value.data);
        }
}

static void on_done(quoit_outcall *outcall, quoit_status status, void *user)
{
        struct relay *relay = user;
        struct front *front = relay->front;
        quoit_error error;

        quoit_outcall_get_error(outcall, &error);
        front->status = status;
        strcpy(front->text, quoit_error_text(&error));
        note_trace(front, outcall);
        if (!pthread_equal(relay->thread, pthread_self()))
                atomic_fetch_add(&front->hops, 1);
        if (relay->call && !relay->has_answered)
                quoit_call_finish(relay->call, status, front->text);
        if (!relay->call)
                free(relay);
        atomic_fetch_add(&front->outcalls_over, 1);
}

static const quoit_outcall_handler relay_handler = { .on_message = on_message, .on_done = on_done };

static void relay_unary(quoit_call *call, const script_Ask *ask, void *user)
{
        struct front *front = user;
        const quoit_call_options options = {
                .parent = front->has_no_parent ? NULL : call,
                .metadata = front->metadata,
                .metadata_count = front->metadata_count,
        };
        struct relay *relay = front->finishes_first ? calloc(1, sizeof(*relay))
                                                    : quoit_call_alloc(call, sizeof(*relay));
        quoit_outcall *outcall;

        note_thread(front);
        *relay = (struct relay){ .front = front, .thread = pthread_self() };
        if (front->own_trace)
                assert_int_equal(
                        quoit_call_set_trace(call, front->own_trace, front->own_trace_count), 0);
        assert_int_equal(quoit_outcall_start(front->channel, script_method(QUOIT_UNARY), &options,
                                 &relay_handler, relay, &outcall),
                0);
        atomic_fetch_add(&front->outcalls, 1);
        assert_int_equal(quoit_outcall_send(outcall, (const struct upb_Message *)ask), 0);
        if (front->finishes_first) {
                quoit_call_finish(call, QUOIT_ABORTED, "the handler does not wait");
        } else {
                relay->call = call;
                quoit_call_hold(call);
        }
}

/* On a worker: a blocking call. */
static void relay_on_worker(quoit_call *call, const script_Ask *ask, void *user)
{
        struct front *front = user;
        const quoit_call_options options = { .parent = call };
        upb_Arena *arena = upb_Arena_New();
        const struct upb_Message *reply;
        quoit_error error;

        front->status = quoit_unary_blocking(front->channel, script_method(QUOIT_UNARY), arena,
                (const struct upb_Message *)ask, &options, &reply, &error);
        strcpy(front->text, quoit_error_text(&error));
        atomic_fetch_add(&front->outcalls_over, 1);
        if (front->status == QUOIT_OK)
                script_Script_Unary_reply(call, (const script_Told *)reply);
        else
                quoit_call_finish(call, front->status, front->text);
        upb_Arena_Free(arena);
}

/* ---- the front server ---- */

static void *serve(void *arg)
{
        assert_int_equal(quoit_server_run(arg), 0);
        return NULL;
}

void front_init(struct front *front, struct stage *stage, bool on_workers)
{
        static const script_Script_service service = { .Unary = relay_unary };
        static const script_Script_service blocking = { .Unary = relay_on_worker };
        const quoit_server_options options = {
                .rings = FRONT_RINGS,
                .engine = on_uring() ? QUOIT_ENGINE_IO_URING : QUOIT_ENGINE_EPOLL,
                .limits.drain_ms = 10000,
        };
        uint16_t port;

        stage_init(stage, NULL);
        stage_serve(stage, 0, 0, NULL);
        *front = (struct front){ 0 };
        assert_int_equal(quoit_server_new(&options, &front->server), 0);
        assert_int_equal(quoit_client_new(&(quoit_client_options){ .lent = quoit_server_rings(
                                                                           front->server) },
                                 &front->client),
                0);
        assert_int_equal(quoit_client_rings(front->client), FRONT_RINGS);
        assert_int_equal(
                quoit_channel_new(front->client, stage->servers[0].target, NULL, &front->channel),
                0);
        assert_int_equal(
                script_Script_register(front->server, on_workers ? &blocking : &service, front), 0);
        if (on_workers)
                assert_int_equal(quoit_server_set_method(front->server, "/script.Script/Unary",
                                         &(quoit_method_options){ .offload = true }),
                        0);
        assert_int_equal(quoit_server_listen(front->server, "127.0.0.1:0", &port), 0);
        snprintf(front->target, sizeof(front->target), "127.0.0.1:%u", port);
}

void front_start(struct front *front)
{
        assert_int_equal(pthread_create(&front->thread, NULL, serve, front->server), 0);
        front->has_started = true;
}

void front_open(struct front *front, struct stage *stage)
{
        front_start(front);
        stage_open(stage, front->target);
}

/* The server ends first, then what used its rings. */
void front_deinit(struct front *front, struct stage *stage)
{
        quoit_server_stop(front->server);
        if (front->has_started)
                assert_int_equal(pthread_join(front->thread, NULL), 0);
        quoit_channel_free(front->channel);
        assert_null(quoit_client_free(front->client));
        quoit_server_free(front->server);
        assert_int_equal(atomic_load(&front->outcalls), atomic_load(&front->outcalls_over));
        assert_int_equal(atomic_load(&front->hops), 0);
        stage_deinit(stage);
}
