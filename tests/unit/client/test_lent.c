/* SPDX-License-Identifier: MIT */

/* A client on a server's rings: a front server whose handlers call the stage's, and answer what that does. All threads and sockets are real. */

#include "stage.h"

#include <errno.h>
#include <stdio.h>

#define RINGS 2

struct front {
        quoit_server *server;
        quoit_client *client;
        quoit_channel *channel; /* to the stage's server */
        pthread_t thread;
        char target[32];
        bool has_started;
        bool has_no_parent; /* the outcall is made for nobody */
        bool finishes_first; /* the handler does not wait */
        const quoit_metadata *metadata;
        size_t metadata_count;

        /* written by handlers; each test reads them when its calls are over */
        atomic_uint outcalls, hops, outcalls_over;
        const void *_Atomic threads[2]; /* two that handlers ran on */
        quoit_status status; /* of the last outcall */
        char text[QUOIT_ERROR_TEXT_BYTES];
        char trace[512]; /* what the stage's server was sent of it */
};

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

static void front_init(struct front *front, struct stage *stage, bool on_workers)
{
        static const script_Script_service service = { .Unary = relay_unary };
        static const script_Script_service blocking = { .Unary = relay_on_worker };
        const quoit_server_options options = {
                .rings = RINGS,
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
        assert_int_equal(quoit_client_rings(front->client), RINGS);
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

static void front_start(struct front *front)
{
        assert_int_equal(pthread_create(&front->thread, NULL, serve, front->server), 0);
        front->has_started = true;
}

/* The server ends first, then what used its rings. */
static void front_deinit(struct front *front, struct stage *stage)
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

/* ---- tests ---- */

/* The answer is the other service's, nothing changes threads, and both rings have calls. */
static void test_no_hop(void **state)
{
        struct stage stage;
        struct front front;

        (void)state;
        front_init(&front, &stage, false);
        front_start(&front);
        for (unsigned i = 0; i < 2 * RINGS; i++) {
                struct told told = { .size = 100 + i };

                stage_open(&stage, front.target);
                for (unsigned j = 0; j < 3; j++) {
                        told = (struct told){ .size = 100 + i };
                        told_call(&stage, &told);
                        assert_string_equal(told.text, "OK");
                        assert_int_equal(told.bytes, 100 + i);
                        WAIT(atomic_load(&front.outcalls_over) == 3 * i + j + 1);
                        assert_string_equal(front.text, "OK");
                }
        }
        assert_int_equal(atomic_load(&front.outcalls), 6 * RINGS);
        assert_non_null(front.threads[1]);
        front_deinit(&front, &stage);
}

static void test_failure(void **state)
{
        struct stage stage;
        struct front front;
        struct told told = { .act = SCRIPT_FAIL };

        (void)state;
        front_init(&front, &stage, false);
        front_start(&front);
        stage_open(&stage, front.target);
        told_call(&stage, &told);
        assert_int_equal(told.status, QUOIT_NOT_FOUND);
        front_deinit(&front, &stage);
}

/* ---- deadline and cancellation ---- */

/* The outcall names no time, and has its parent's, which here is the method's. The called server ends the call too. */
static void test_deadline(void **state)
{
        const quoit_method_options options = { .deadline_max_ms = 200 };
        struct stage stage;
        struct front front;
        struct told told = { .act = SCRIPT_HOLD };

        (void)state;
        front_init(&front, &stage, false);
        assert_int_equal(
                quoit_server_set_method(front.server, "/script.Script/Unary", &options), 0);
        front_start(&front);
        stage_open(&stage, front.target);
        told_call(&stage, &told);
        assert_int_equal(told.status, QUOIT_DEADLINE_EXCEEDED);
        WAIT(atomic_load(&front.outcalls_over) == 1);
        assert_int_equal(front.status, QUOIT_DEADLINE_EXCEEDED);
        WAIT(read_count(&stage.servers[0].script.cancels) == 1);
        front_deinit(&front, &stage);
}

static void test_cancel(void **state)
{
        struct stage stage;
        struct front front;
        struct told told = { .act = SCRIPT_HOLD, .stage = &stage };

        (void)state;
        front_init(&front, &stage, false);
        front_start(&front);
        stage_open(&stage, front.target);
        stage_run(&stage, told_start, &told);
        WAIT(read_count(&stage.servers[0].script.started) == 1);
        stage_run(&stage, told_cancel, &told);
        told_wait(&told);
        WAIT(atomic_load(&front.outcalls_over) == 1);
        assert_string_equal(front.text, "CANCELLED: the call that this one was made for has ended");
        WAIT(read_count(&stage.servers[0].script.cancels) == 1);
        front_deinit(&front, &stage);
}

/* A handler that finishes without its outcall ends that. */
static void test_finish(void **state)
{
        struct stage stage;
        struct front front;
        struct told told = { .act = SCRIPT_HOLD };

        (void)state;
        front_init(&front, &stage, false);
        front.finishes_first = true;
        front_start(&front);
        stage_open(&stage, front.target);
        told_call(&stage, &told);
        assert_int_equal(told.status, QUOIT_ABORTED);
        WAIT(atomic_load(&front.outcalls_over) == 1);
        assert_int_equal(front.status, QUOIT_CANCELLED);
        front_deinit(&front, &stage);
}

/* All attempts of a hedged outcall end with its parent, and it is told once. */
static void test_hedged(void **state)
{
        const quoit_channel_options options = {
                .service_config = "{\"methodConfig\": [{\"name\": [{}], \"hedgingPolicy\": "
                                  "{\"maxAttempts\": 3, \"hedgingDelay\": \"0s\"}}]}"
        };
        struct stage stage;
        struct front front;
        struct told told = { .act = SCRIPT_HOLD, .stage = &stage }, good = { .size = 33 };

        (void)state;
        front_init(&front, &stage, false);
        quoit_channel_free(front.channel);
        assert_int_equal(
                quoit_channel_new(front.client, stage.servers[0].target, &options, &front.channel),
                0);
        front_start(&front);
        stage_open(&stage, front.target);
        told_call(&stage, &good);
        assert_string_equal(good.text, "OK");
        assert_int_equal(good.bytes, 33);
        stage_run(&stage, told_start, &told);
        WAIT(read_count(&stage.servers[0].script.started) >= 4);
        stage_run(&stage, told_cancel, &told);
        told_wait(&told);
        WAIT(atomic_load(&front.outcalls_over) == 2);
        assert_string_equal(front.text, "CANCELLED: the call that this one was made for has ended");
        WAIT(read_count(&stage.servers[0].script.held_count) == 0);
        front_deinit(&front, &stage);
}

/* ---- trace context ---- */

#define VIEW(text) { text, sizeof(text) - 1 }
#define PARENT "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
#define OWN "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01"

static void test_trace(void **state)
{
        static const quoit_metadata metadata[] = {
                { "traceparent", VIEW(PARENT) },
                { "tracestate", VIEW("a=1") },
                { "x-other", VIEW("stays here") },
                { "tracestate", VIEW("b=2") },
                { "grpc-trace-bin", VIEW("\1\2") },
        };
        static const quoit_metadata own = { "traceparent", VIEW(OWN) };
        const quoit_call_options options = { .metadata = metadata, .metadata_count = 5 };
        struct stage stage;
        struct front front;
        struct told told = { .act = SCRIPT_METADATA, .options = &options };

        (void)state;
        front_init(&front, &stage, false);
        front_start(&front);
        stage_open(&stage, front.target);
        told_call(&stage, &told);
        WAIT(atomic_load(&front.outcalls_over) == 1);
        assert_string_equal(front.trace,
                "traceparent=" PARENT " tracestate=a=1 tracestate=b=2 grpc-trace-bin=\1\2 ");
        front.metadata = &own;
        front.metadata_count = 1;
        told = (struct told){ .act = SCRIPT_METADATA, .options = &options };
        told_call(&stage, &told);
        WAIT(atomic_load(&front.outcalls_over) == 2);
        assert_string_equal(front.trace,
                "traceparent=" OWN " tracestate=a=1 tracestate=b=2 grpc-trace-bin=\1\2 ");
        front.metadata_count = 0;
        front.has_no_parent = true;
        told = (struct told){ .act = SCRIPT_METADATA, .options = &options };
        told_call(&stage, &told);
        WAIT(atomic_load(&front.outcalls_over) == 3);
        assert_string_equal(front.trace, "");
        front_deinit(&front, &stage);
}

/* ---- workers ---- */

static void test_worker(void **state)
{
        struct stage stage;
        struct front front;
        struct told told = { .size = 7 }, held = { .act = SCRIPT_HOLD, .stage = &stage };

        (void)state;
        front_init(&front, &stage, true);
        front_start(&front);
        stage_open(&stage, front.target);
        told_call(&stage, &told);
        assert_string_equal(told.text, "OK");
        assert_int_equal(told.bytes, 7);
        stage_run(&stage, told_start, &held);
        WAIT(read_count(&stage.servers[0].script.started) == 2);
        stage_run(&stage, told_cancel, &held);
        WAIT(atomic_load(&front.outcalls_over) == 2);
        assert_int_equal(front.status, QUOIT_CANCELLED);
        atomic_store(&front.outcalls, 2);
        front_deinit(&front, &stage);
}

/* ---- the beginning and the end ---- */

static void never(quoit_client *client, void *arg)
{
        (void)client;
        (void)arg;
        fail();
}

/* Before, while and after its server runs, seen from a thread that runs no ring. */
static void test_life(void **state)
{
        quoit_error error;
        quoit_client *late = NULL;
        struct stage stage;
        struct front front;
        quoit_client_options options;

        (void)state;
        front_init(&front, &stage, false);
        options = (quoit_client_options){ .lent = quoit_server_rings(front.server) };
        assert_int_equal(call_blocking(front.channel, SCRIPT_ANSWER, &error), QUOIT_UNAVAILABLE);
        assert_string_equal(quoit_error_text(&error),
                "UNAVAILABLE: the server on whose rings the client works has not started yet");
        assert_int_equal(quoit_client_post(front.client, never, NULL), -EAGAIN);
        assert_int_equal(quoit_channel_connect(front.channel), -EAGAIN);

        front_start(&front);
        /* one ring begins after the other, and calls go to both in turn */
        WAIT(call_blocking(front.channel, SCRIPT_ANSWER, NULL) == QUOIT_OK &&
                call_blocking(front.channel, SCRIPT_ANSWER, NULL) == QUOIT_OK);
        assert_ptr_equal(quoit_client_free(front.client), front.client);
        assert_int_equal(quoit_client_new(&options, &late), -EBUSY);

        quoit_server_stop(front.server);
        assert_int_equal(pthread_join(front.thread, NULL), 0);
        front.has_started = false;
        assert_int_equal(quoit_channel_get_state(front.channel), QUOIT_CHANNEL_SHUTDOWN);
        assert_int_equal(call_blocking(front.channel, SCRIPT_ANSWER, NULL), QUOIT_CANCELLED);
        assert_int_equal(quoit_client_post(front.client, never, NULL), -ESHUTDOWN);
        front_deinit(&front, &stage);
}

/* A server that never starts, and one that is freed before its client. */
static void test_order(void **state)
{
        (void)state;
        for (unsigned round = 0; round < 2; round++) {
                struct stage stage;
                struct front front;

                front_init(&front, &stage, false);
                if (round == 1) {
                        front_start(&front);
                        WAIT(call_blocking(front.channel, SCRIPT_ANSWER, NULL) == QUOIT_OK);
                        quoit_server_stop(front.server);
                        assert_int_equal(pthread_join(front.thread, NULL), 0);
                }
                quoit_server_free(front.server);
                assert_null(quoit_client_free(front.client)); /* with its channel */
                stage_deinit(&stage);
        }
}

/* The thread that was the ring's is any other one when that is gone. */
static void *run_and_go_on(void *arg)
{
        struct front *front = arg;
        quoit_channel *channel;

        assert_int_equal(quoit_server_run(front->server), 0);
        quoit_server_free(front->server);
        front->server = NULL;
        assert_int_equal(quoit_outcall_start(front->channel, script_method(QUOIT_UNARY), NULL,
                                 &relay_handler, NULL, NULL),
                -EPERM);
        assert_int_equal(quoit_channel_new(front->client, "127.0.0.1:1", NULL, &channel), 0);
        assert_int_equal(quoit_channel_get_state(channel), QUOIT_CHANNEL_SHUTDOWN);
        assert_null(quoit_channel_free(channel));
        return NULL;
}

static void test_same_thread(void **state)
{
        struct stage stage;
        struct front front;

        (void)state;
        front_init(&front, &stage, false);
        assert_int_equal(pthread_create(&front.thread, NULL, run_and_go_on, &front), 0);
        WAIT(call_blocking(front.channel, SCRIPT_ANSWER, NULL) == QUOIT_OK);
        quoit_server_stop(front.server);
        assert_int_equal(pthread_join(front.thread, NULL), 0);
        assert_null(quoit_client_free(front.client)); /* with its channel */
        stage_deinit(&stage);
}

/* The server waits for a call that waits for its outcall, and both succeed. */
static void test_stop(void **state)
{
        struct stage stage;
        struct front front;
        struct told told = { .act = SCRIPT_HOLD, .stage = &stage };

        (void)state;
        front_init(&front, &stage, false);
        front_start(&front);
        stage_open(&stage, front.target);
        stage_run(&stage, told_start, &told);
        WAIT(read_count(&stage.servers[0].script.started) == 1);
        quoit_server_stop(front.server);
        usleep(50000);
        assert_int_equal(atomic_load(&told.dones), 0);
        quoit_server_stop(stage.servers[0].server); /* ends what is held there */
        told_wait(&told);
        assert_int_equal(told.status, QUOIT_UNAVAILABLE);
        WAIT(atomic_load(&front.outcalls_over) == 1);
        assert_int_equal(
                front.status, QUOIT_UNAVAILABLE); /* the other server's, and not CANCELLED */
        front_deinit(&front, &stage);
}

struct waiter {
        struct front *front;
        quoit_status status;
};

static void *wait_blocking(void *arg)
{
        struct waiter *waiter = arg;

        waiter->status = call_blocking(waiter->front->channel, SCRIPT_HOLD, NULL);
        return NULL;
}

/* A call that no handler waits for is no reason for the server to stay. */
static void test_stop_others(void **state)
{
        struct stage stage;
        struct front front;
        struct waiter waiter = { .front = &front };
        pthread_t thread;

        (void)state;
        front_init(&front, &stage, false);
        front_start(&front);
        WAIT(call_blocking(front.channel, SCRIPT_ANSWER, NULL) == QUOIT_OK);
        assert_int_equal(pthread_create(&thread, NULL, wait_blocking, &waiter), 0);
        WAIT(read_count(&stage.servers[0].script.started) == 2);
        quoit_server_stop(front.server);
        assert_int_equal(pthread_join(thread, NULL), 0);
        assert_int_equal(waiter.status, QUOIT_CANCELLED);
        front_deinit(&front, &stage);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_no_hop),
                cmocka_unit_test(test_failure),
                cmocka_unit_test(test_deadline),
                cmocka_unit_test(test_cancel),
                cmocka_unit_test(test_finish),
                cmocka_unit_test(test_hedged),
                cmocka_unit_test(test_trace),
                cmocka_unit_test(test_worker),
                cmocka_unit_test(test_life),
                cmocka_unit_test(test_order),
                cmocka_unit_test(test_same_thread),
                cmocka_unit_test(test_stop),
                cmocka_unit_test(test_stop_others),
        };

        return RUN_ON_BOTH_ENGINES("client/lent", tests);
}
