/* SPDX-License-Identifier: MIT */

/* Streams for threads that wait, by the stubs that are made for them. */

#include "stage.h"

#include <signal.h>

#define THREADS 64

static const quoit_call_options patient = { .timeout_ms = 100000 };

static script_Ask *ask_new(upb_Arena *arena, uint32_t act, uint32_t count, uint32_t size)
{
        script_Ask *ask = script_Ask_new(arena);

        script_Ask_set_act(ask, act);
        script_Ask_set_count(ask, count);
        script_Ask_set_size(ask, size);
        return ask;
}

static quoit_stream *open_down(struct stage *stage, uint32_t act, uint32_t count, uint32_t size)
{
        upb_Arena *arena = upb_Arena_New();
        quoit_stream *stream = script_Script_ServerStream_open(
                stage->channel, ask_new(arena, act, count, size), &patient);

        upb_Arena_Free(arena); /* the request is not used any more */
        assert_non_null(stream);
        return stream;
}

/* Reads all that comes, in order. Returns how many. */
static unsigned read_all(quoit_stream *stream, size_t size)
{
        upb_Arena *arena = upb_Arena_New();
        const script_Told *told;
        unsigned count = 0;

        while (script_Script_ServerStream_read(stream, arena, &told)) {
                assert_int_equal(script_Told_number(told), count++);
                assert_int_equal(script_Told_payload(told).size, size);
                upb_Arena_Free(arena);
                arena = upb_Arena_New();
        }
        upb_Arena_Free(arena);
        return count;
}

static void finishes(quoit_stream *stream, const char *text)
{
        quoit_error error;

        quoit_stream_finish(stream, &error);
        assert_string_equal(quoit_error_text(&error), text);
}

/* ---- the four kinds ---- */

static void play_down(struct stage *stage)
{
        quoit_stream *stream = open_down(stage, SCRIPT_ANSWER, 300, 3000);

        assert_int_equal(read_all(stream, 3000), 300);
        assert_int_equal(read_all(stream, 0), 0);
        finishes(stream, "OK");
}

static void play_up(struct stage *stage)
{
        upb_Arena *arena = upb_Arena_New();
        quoit_stream *stream = script_Script_ClientStream_open(stage->channel, &patient);
        const script_Told *told = NULL;

        for (unsigned i = 0; i < 300; i++)
                assert_true(script_Script_ClientStream_write(
                        stream, ask_new(arena, SCRIPT_ANSWER, 0, 77)));
        assert_int_equal(script_Script_ClientStream_finish(stream, arena, &told, NULL), QUOIT_OK);
        assert_int_equal(script_Told_payload(told).size, 77);
        upb_Arena_Free(arena);
}

/* Each answer before the next request. */
static void play_both(struct stage *stage)
{
        upb_Arena *arena = upb_Arena_New();
        quoit_stream *stream = script_Script_Bidi_open(stage->channel, &patient);
        const script_Told *told = NULL;

        for (unsigned i = 0; i < 50; i++) {
                assert_true(script_Script_Bidi_write(stream, ask_new(arena, SCRIPT_ANSWER, 2, i)));
                for (unsigned j = 0; j < 2; j++) {
                        assert_true(script_Script_Bidi_read(stream, arena, &told));
                        assert_int_equal(script_Told_number(told), 2 * i + j);
                        assert_int_equal(script_Told_payload(told).size, i);
                }
        }
        quoit_stream_half_close(stream);
        assert_false(script_Script_Bidi_write(stream, ask_new(arena, SCRIPT_ANSWER, 1, 1)));
        assert_false(script_Script_Bidi_read(stream, arena, &told));
        finishes(stream, "OK");
        upb_Arena_Free(arena);
}

/* A unary call is a stream of one message. */
static void play_unary(struct stage *stage)
{
        upb_Arena *arena = upb_Arena_New();
        const upb_Message *reply;
        quoit_stream *stream = quoit_stream_open(stage->channel, script_method(QUOIT_UNARY),
                (const upb_Message *)ask_new(arena, SCRIPT_ANSWER, 0, 123), &patient);

        assert_true(quoit_stream_read(stream, arena, &reply));
        assert_int_equal(script_Told_payload((const script_Told *)reply).size, 123);
        assert_false(quoit_stream_read(stream, arena, &reply));
        finishes(stream, "OK");
        upb_Arena_Free(arena);
}

static void test_kinds(void **state)
{
        struct stage stage;

        (void)state;
        stage_begin(&stage);
        play_down(&stage);
        play_up(&stage);
        assert_int_equal(stage.servers[0].script.messages, 300);
        play_both(&stage);
        play_unary(&stage);
        stage_deinit(&stage);
}

/* Hedged ones too: nobody sees that there are several attempts. */
static void test_hedged(void **state)
{
        struct stage stage;

        (void)state;
        stage_begin_configured(&stage, NULL,
                "{\"methodConfig\": [{\"name\": [{}], \"hedgingPolicy\": "
                "{\"maxAttempts\": 3, \"hedgingDelay\": \"0s\"}}]}");
        for (unsigned i = 0; i < 5; i++) {
                play_down(&stage);
                play_up(&stage);
                play_both(&stage);
                play_unary(&stage);
        }
        stage_deinit(&stage);
}

static void *play_all(void *arg)
{
        for (unsigned i = 0; i < 5; i++) {
                play_down(arg);
                play_both(arg);
                play_unary(arg);
        }
        return NULL;
}

/* On one channel, beside a stream that nobody reads. */
static void test_many_threads(void **state)
{
        struct stage stage;
        pthread_t threads[THREADS];
        quoit_stream *unread;

        (void)state;
        stage_begin(&stage);
        unread = open_down(&stage, SCRIPT_ENDLESS, 0, 1000);
        for (unsigned i = 0; i < THREADS; i++)
                assert_int_equal(pthread_create(threads + i, NULL, play_all, &stage), 0);
        for (unsigned i = 0; i < THREADS; i++)
                assert_int_equal(pthread_join(threads[i], NULL), 0);
        quoit_stream_cancel(unread);
        finishes(unread, "CANCELLED: cancelled by the caller");
        stage_deinit(&stage);
}

/* ---- what is not read, and what is not taken ---- */

static void test_unread_messages_are_dropped(void **state)
{
        struct stage stage;
        quoit_stream *stream;
        upb_Arena *arena = upb_Arena_New();
        const script_Told *told;

        (void)state;
        stage_begin(&stage);
        stream = open_down(&stage, SCRIPT_ANSWER, 300, 3000);
        assert_true(script_Script_ServerStream_read(stream, arena, &told));
        finishes(stream, "OK");
        upb_Arena_Free(arena);
        stage_deinit(&stage);
}

/* What waits here is `call_queue_bytes_max` and a message, however much the server would send. */
static void test_a_reader_that_stands_still(void **state)
{
        struct stage stage;
        quoit_stream *stream;
        unsigned count;

        (void)state;
        stage_begin(&stage);
        stream = open_down(&stage, SCRIPT_ENDLESS, 0, 1000);
        usleep(200000);
        quoit_stream_cancel(stream);
        usleep(100000);
        count = read_all(stream, 1000);
        assert_in_range(count, 60, 70);
        finishes(stream, "CANCELLED: cancelled by the caller");
        stage_deinit(&stage);
}

static atomic_bool is_held;

/* Keeps the server's thread from reading. */
static void hold_thread(int signal_number)
{
        (void)signal_number;
        while (atomic_load(&is_held))
                usleep(1000);
}

struct writing {
        quoit_stream *stream;
        atomic_uint written;
};

#define WRITTEN_MAX 300000 /* of a KiB each */

static void *write_much(void *arg)
{
        struct writing *writing = arg;
        upb_Arena *arena = upb_Arena_New();
        script_Ask *ask = ask_new(arena, SCRIPT_ANSWER, 0, 0);
        static char payload[1024];

        script_Ask_set_payload(ask, upb_StringView_FromDataAndSize(payload, sizeof(payload)));
        while (writing->written < WRITTEN_MAX &&
                script_Script_ClientStream_write(writing->stream, ask))
                writing->written++;
        upb_Arena_Free(arena);
        return NULL;
}

/* The writer waits; it goes on when the server reads on, and ends when it is told to. */
static void test_a_server_that_stands_still(void **state)
{
        struct stage stage;
        struct writing writing = { 0 };
        pthread_t thread;
        unsigned written;

        (void)state;
        stage_begin(&stage);
        signal(SIGUSR1, hold_thread);
        atomic_store(&is_held, true);
        writing.stream = script_Script_ClientStream_open(stage.channel, &patient);
        assert_int_equal(pthread_create(&thread, NULL, write_much, &writing), 0);
        while (writing.written < 1000)
                usleep(100);
        pthread_kill(stage.servers[0].thread, SIGUSR1);
        usleep(400000);
        written = writing.written;
        usleep(100000);
        assert_int_equal(writing.written, written);
        assert_true(written < WRITTEN_MAX);
        atomic_store(&is_held, false);
        while (writing.written < written + 1000 && writing.written < WRITTEN_MAX)
                usleep(100);
        quoit_stream_cancel(writing.stream);
        assert_int_equal(pthread_join(thread, NULL), 0);
        finishes(writing.stream, "CANCELLED: cancelled by the caller");
        stage_deinit(&stage);
}

/* ---- ends ---- */

static void test_failures(void **state)
{
        struct stage stage;
        upb_Arena *arena = upb_Arena_New();
        const script_Told *told = NULL;
        quoit_stream *stream;
        quoit_error error;

        (void)state;
        stage_begin(&stage);
        stream = open_down(&stage, SCRIPT_FAIL, 0, 0);
        assert_int_equal(read_all(stream, 0), 0);
        finishes(stream, "NOT_FOUND");
        stream = script_Script_ClientStream_open(stage.channel, &patient);
        script_Script_ClientStream_write(stream, ask_new(arena, SCRIPT_FAIL, 0, 0));
        assert_int_equal(
                script_Script_ClientStream_finish(stream, arena, &told, &error), QUOIT_NOT_FOUND);
        assert_null(told);
        stream = script_Script_Bidi_open(stage.channel, &(quoit_call_options){ .timeout_ms = 50 });
        assert_int_equal(read_all(stream, 0), 0);
        finishes(stream, "DEADLINE_EXCEEDED: deadline exceeded");
        upb_Arena_Free(arena);
        stage_deinit(&stage);
}

static void test_requests_that_cannot_be_sent(void **state)
{
        static const quoit_metadata upper = { "Upper", { "x", 1 } };
        struct stage stage;
        upb_Arena *arena = upb_Arena_New();
        script_Ask *large = ask_new(arena, SCRIPT_ANSWER, 0, 0);
        static char payload[5000];
        quoit_stream *stream;

        (void)state;
        stage_begin_with(&stage, (quoit_client_options){ .limits.message_send_bytes_max = 1000 });
        script_Ask_set_payload(large, upb_StringView_FromDataAndSize(payload, sizeof(payload)));
        stream = script_Script_ServerStream_open(stage.channel, large, &patient);
        finishes(stream,
                "RESOURCE_EXHAUSTED: the request is over the limit "
                "(message_send_bytes_max, or the service config's maxRequestMessageBytes)");
        stream = script_Script_Bidi_open(stage.channel, &patient);
        assert_true(script_Script_Bidi_write(stream, ask_new(arena, SCRIPT_ANSWER, 1, 1)));
        assert_false(script_Script_Bidi_write(stream, NULL));
        assert_false(script_Script_Bidi_write(stream, ask_new(arena, SCRIPT_ANSWER, 1, 1)));
        finishes(stream, "RESOURCE_EXHAUSTED: out of memory");
        stream = script_Script_Bidi_open(
                stage.channel, &(quoit_call_options){ .metadata = &upper, .metadata_count = 1 });
        finishes(stream, "INTERNAL: metadata or compression that gRPC does not allow");
        upb_Arena_Free(arena);
        stage_deinit(&stage);
}

/* The ring finds that out: a service config is its channel's. */
static void test_requests_over_a_service_configs_limit(void **state)
{
        struct stage stage;
        upb_Arena *arena = upb_Arena_New();
        script_Ask *large = ask_new(arena, SCRIPT_ANSWER, 0, 0);
        static char payload[501];
        quoit_stream *stream;

        (void)state;
        stage_begin_configured(&stage, NULL,
                "{\"methodConfig\": [{\"name\": [{}], \"maxRequestMessageBytes\": 500}]}");
        script_Ask_set_payload(large, upb_StringView_FromDataAndSize(payload, sizeof(payload)));
        stream = script_Script_Bidi_open(stage.channel, &patient);
        assert_true(script_Script_Bidi_write(stream, large));
        assert_int_equal(read_all(stream, 0), 0);
        finishes(stream,
                "RESOURCE_EXHAUSTED: the request is over the limit "
                "(message_send_bytes_max, or the service config's maxRequestMessageBytes)");
        upb_Arena_Free(arena);
        stage_deinit(&stage);
}

/* The caller's metadata may be gone when the call begins. */
static void test_metadata_is_copied(void **state)
{
        struct stage stage;
        upb_Arena *arena = upb_Arena_New();
        char *name = strdup("x-test"), *value = strdup("a b");
        quoit_metadata metadata[] = { { name, { value, 3 } }, { "x-empty", { NULL, 0 } } };
        quoit_stream *stream;

        (void)state;
        stage_begin(&stage);
        stream = script_Script_ServerStream_open(stage.channel,
                ask_new(arena, SCRIPT_METADATA, 1, 1),
                &(quoit_call_options){ .metadata = metadata, .metadata_count = 2 });
        memset(name, 'X', 6);
        memset(value, '\n', 3);
        free(name);
        free(value);
        memset(metadata, 0xff, sizeof(metadata));
        assert_int_equal(read_all(stream, 1), 1);
        finishes(stream, "OK");
        upb_Arena_Free(arena);
        stage_deinit(&stage);
}

static void test_none(void **state)
{
        const upb_Message *message;
        upb_Arena *arena = upb_Arena_New();

        (void)state;
        quoit_stream_half_close(NULL);
        quoit_stream_cancel(NULL);
        assert_false(quoit_stream_write(NULL, NULL));
        assert_false(quoit_stream_read(NULL, arena, &message));
        finishes(NULL, "RESOURCE_EXHAUSTED: out of memory");
        upb_Arena_Free(arena);
}

/* ---- other threads ---- */

static void *read_to_its_end(void *stream)
{
        return (void *)(uintptr_t)read_all(stream, 0);
}

static void end_while_it_is_read(
        struct stage *stage, void (*end)(struct stage *, quoit_stream *), const char *text)
{
        quoit_stream *stream;
        pthread_t thread;

        stage_begin(stage);
        stream = open_down(stage, SCRIPT_HOLD, 0, 0);
        assert_int_equal(pthread_create(&thread, NULL, read_to_its_end, stream), 0);
        usleep(50000);
        end(stage, stream);
        assert_int_equal(pthread_join(thread, NULL), 0);
        finishes(stream, text);
}

static void cancel(struct stage *stage, quoit_stream *stream)
{
        (void)stage;
        quoit_stream_cancel(stream);
}

static void free_channel(struct stage *stage, quoit_stream *stream)
{
        (void)stream;
        stage->channel = quoit_channel_free(stage->channel);
}

static void free_client(struct stage *stage, quoit_stream *stream)
{
        (void)stream;
        assert_null(quoit_client_free(stage->client));
}

static void test_ends_from_elsewhere(void **state)
{
        struct stage stage;

        (void)state;
        end_while_it_is_read(&stage, cancel, "CANCELLED: cancelled by the caller");
        stage_deinit(&stage);
        end_while_it_is_read(&stage, free_channel, "CANCELLED: the channel was freed");
        stage_deinit(&stage);
        end_while_it_is_read(&stage, free_client, "CANCELLED: the channel was freed");
        stage_end_server(&stage, 0);
}

#define FORBIDDEN                                                                                  \
        "INTERNAL: a blocking call on a ring's thread would keep all of its calls waiting: use "   \
        "an "                                                                                      \
        "asynchronous one"

static void open_here(void *stage)
{
        quoit_stream *stream = open_down(stage, SCRIPT_ANSWER, 1, 1);

        assert_int_equal(read_all(stream, 1), 0);
        finishes(stream, FORBIDDEN);
}

static void read_here(void *stream)
{
        assert_int_equal(read_all(stream, 0), 0);
}

static void finish_here(void *stream)
{
        finishes(stream, FORBIDDEN);
}

/* It is told, and does not wait for itself. */
static void test_on_a_ring(void **state)
{
        struct stage stage;
        quoit_stream *stream;

        (void)state;
        stage_begin(&stage);
        stage_run(&stage, open_here, &stage);
        stream = open_down(&stage, SCRIPT_HOLD, 0, 0);
        stage_run(&stage, read_here, stream);
        finishes(stream, FORBIDDEN);
        stage_run(&stage, finish_here, open_down(&stage, SCRIPT_HOLD, 0, 0));
        stage_deinit(&stage);
}

static void test_compression(void **state)
{
        struct stage stage;
        upb_Arena *arena = upb_Arena_New();
        const script_Told *told = NULL;

        (void)state;
        stage_begin(&stage);
        for (quoit_compression c = QUOIT_IDENTITY; c <= QUOIT_ZSTD; c++) {
                quoit_stream *stream = script_Script_Bidi_open(
                        stage.channel, &(quoit_call_options){ .compression = c });

                assert_true(
                        script_Script_Bidi_write(stream, ask_new(arena, SCRIPT_ANSWER, 1, 50000)));
                assert_true(script_Script_Bidi_read(stream, arena, &told));
                assert_int_equal(script_Told_payload(told).size, 50000);
                finishes(stream, "OK");
        }
        upb_Arena_Free(arena);
        stage_deinit(&stage);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_kinds),
                cmocka_unit_test(test_hedged),
                cmocka_unit_test(test_many_threads),
                cmocka_unit_test(test_unread_messages_are_dropped),
                cmocka_unit_test(test_a_reader_that_stands_still),
                cmocka_unit_test(test_a_server_that_stands_still),
                cmocka_unit_test(test_failures),
                cmocka_unit_test(test_requests_that_cannot_be_sent),
                cmocka_unit_test(test_requests_over_a_service_configs_limit),
                cmocka_unit_test(test_metadata_is_copied),
                cmocka_unit_test(test_none),
                cmocka_unit_test(test_ends_from_elsewhere),
                cmocka_unit_test(test_on_a_ring),
                cmocka_unit_test(test_compression),
        };

        return RUN_ON_BOTH_ENGINES("client/blocking_stream", tests);
}
