/* SPDX-License-Identifier: MIT */

/* Calls of all four kinds, against a server of ours. */

#include "stage.h"

#include <errno.h>

static void test_kinds(void **state)
{
        struct stage stage;
        struct told unary = { .size = 100 },
                    down = { .kind = QUOIT_SERVER_STREAMING, .count = 50, .size = 3000 };
        struct told up = { .kind = QUOIT_CLIENT_STREAMING, .asks = 20, .size = 7 };
        struct told both = { .kind = QUOIT_BIDI, .asks = 10, .count = 3, .size = 5 };

        (void)state;
        stage_begin(&stage);
        told_call(&stage, &unary);
        assert_string_equal(unary.text, "OK");
        assert_int_equal(unary.messages, 1);
        assert_int_equal(unary.bytes, 100);
        assert_int_equal(unary.headers, 1);
        told_call(&stage, &down);
        assert_string_equal(down.text, "OK");
        assert_int_equal(down.messages, 50);
        assert_int_equal(down.bytes, 150000);
        assert_int_equal(down.last_number, 49);
        told_call(&stage, &up);
        assert_string_equal(up.text, "OK");
        assert_int_equal(up.messages, 1);
        assert_int_equal(stage.servers[0].script.messages, 20);
        told_call(&stage, &both);
        assert_string_equal(both.text, "OK");
        assert_true(both.messages >= 3);
        stage_deinit(&stage);
}

static void test_failures(void **state)
{
        struct stage stage;
        struct told fail = { .act = SCRIPT_FAIL }, empty = { .act = SCRIPT_EMPTY };
        struct told empty_stream = { .act = SCRIPT_EMPTY, .kind = QUOIT_SERVER_STREAMING };

        (void)state;
        stage_begin(&stage);
        told_call(&stage, &fail);
        assert_int_equal(fail.status, QUOIT_NOT_FOUND);
        assert_int_equal(fail.messages, 0);
        told_call(&stage, &empty); /* our server makes INTERNAL of it */
        assert_int_equal(empty.status, QUOIT_INTERNAL);
        told_call(&stage, &empty_stream);
        assert_int_equal(empty_stream.status, QUOIT_OK);
        assert_int_equal(empty_stream.messages, 0);
        stage_deinit(&stage);
}

static void test_deadline(void **state)
{
        struct stage stage;
        const quoit_call_options options = { .timeout_ms = 50 };
        struct told told = { .act = SCRIPT_HOLD, .options = &options };
        uint64_t began_ns = clock_ns();

        (void)state;
        stage_begin(&stage);
        told_call(&stage, &told);
        assert_string_equal(told.text, "DEADLINE_EXCEEDED: deadline exceeded");
        assert_true(clock_ns() - began_ns >= 50 * MS);
        assert_true(clock_ns() - began_ns < 5 * SECOND);
        stage_deinit(&stage);
}

static void test_cancel(void **state)
{
        struct stage stage;
        struct told told = { .act = SCRIPT_HOLD }, endless = {
                .kind = QUOIT_SERVER_STREAMING, .act = SCRIPT_ENDLESS, .size = 100
        };

        (void)state;
        stage_begin(&stage);
        told.stage = endless.stage = &stage;
        stage_run(&stage, told_start, &told);
        WAIT(stage_started(&stage, 0) >= 1);
        stage_run(&stage, told_cancel, &told);
        told_wait(&told);
        assert_string_equal(told.text, "CANCELLED: cancelled by the caller");
        stage_run(&stage, told_start, &endless);
        WAIT(endless.messages >= 10);
        stage_run(&stage, told_cancel, &endless);
        told_wait(&endless);
        assert_int_equal(endless.status, QUOIT_CANCELLED);
        stage_deinit(&stage);
        assert_int_equal(stage.servers[0].script.cancels, 2);
}

/* ---- credits ---- */

static void test_credits(void **state)
{
        struct stage stage;
        struct told told = { .kind = QUOIT_SERVER_STREAMING, .count = 100, .size = 9000 };

        (void)state;
        stage_begin(&stage);
        told.stage = &stage;
        stage_run(&stage, told_start_with_two_credits, &told);
        usleep(100000);
        assert_int_equal(told.messages, 2);
        assert_int_equal(told.dones, 0);
        stage_run(&stage, told_read_on, &told);
        told_wait(&told);
        assert_int_equal(told.messages, 100);
        assert_string_equal(told.text, "OK");
        stage_deinit(&stage);
}

/* ---- many at once ---- */

#define MANY 1000 /* more than the server's streams_max */

static struct told many[MANY];

static void start_many(void *arg)
{
        for (unsigned i = 0; i < MANY; i++) {
                many[i] = (struct told){ .stage = arg, .size = i };
                told_start(many + i);
        }
}

static void test_many(void **state)
{
        struct stage stage;

        (void)state;
        stage_begin(&stage);
        for (unsigned round = 0; round < 3; round++) {
                stage_run(&stage, start_many, &stage);
                for (unsigned i = 0; i < MANY; i++) {
                        told_wait(many + i);
                        assert_string_equal(many[i].text, "OK");
                        assert_int_equal(many[i].bytes, i);
                }
        }
        stage_deinit(&stage);
}

static void test_queue_is_bounded(void **state)
{
        struct stage stage;
        unsigned refused = 0;

        (void)state;
        stage_begin_with(&stage, (quoit_client_options){ .limits.calls_queued_max = MANY - 10 });
        stage_run(&stage, start_many, &stage);
        for (unsigned i = 0; i < MANY; i++) {
                told_wait(many + i);
                refused += many[i].status == QUOIT_RESOURCE_EXHAUSTED;
        }
        assert_int_equal(refused, 10);
        assert_non_null(strstr(many[MANY - 1].text, "calls_queued_max"));
        stage_deinit(&stage);
}

/* ---- metadata and misuse ---- */

static void bad_metadata(void *arg)
{
        struct stage *stage = arg;
        const quoit_metadata upper = { "Upper", upb_StringView_FromString("x") };
        const quoit_metadata large = { "x", { (const char *)stage, 0 } };
        static char bytes[20000];
        quoit_metadata metadata[] = { upper, large };
        quoit_call_options options = { .metadata = metadata, .metadata_count = 1 };

        memset(bytes, 'x', sizeof(bytes));
        assert_int_equal(quoit_outcall_start(stage->channel, script_method(QUOIT_UNARY), &options,
                                 &told_handler, NULL, NULL),
                -EINVAL);
        metadata[0] = (quoit_metadata){ "x", { bytes, sizeof(bytes) } };
        assert_int_equal(quoit_outcall_start(stage->channel, script_method(QUOIT_UNARY), &options,
                                 &told_handler, NULL, NULL),
                -E2BIG);
        assert_int_equal(quoit_outcall_start(stage->channel, NULL, NULL, &told_handler, NULL, NULL),
                -EINVAL);
        options = (quoit_call_options){ .compression = (quoit_compression)9 };
        assert_int_equal(quoit_outcall_start(stage->channel, script_method(QUOIT_UNARY), &options,
                                 &told_handler, NULL, NULL),
                -EINVAL);
}

static void test_metadata(void **state)
{
        struct stage stage;
        const quoit_metadata metadata[] = { { "x-test", upb_StringView_FromString("a b") },
                { "x-test-bin", upb_StringView_FromDataAndSize("\0\1\xff", 3) } };
        const quoit_call_options options = { .metadata = metadata, .metadata_count = 2 };
        struct told told = { .act = SCRIPT_METADATA, .options = &options };

        (void)state;
        stage_begin(&stage);
        told_call(&stage, &told);
        assert_string_equal(told.text, "OK");
        assert_string_equal(told.trailer, "a b");
        stage_run(&stage, bad_metadata, &stage);
        assert_int_equal(quoit_outcall_start(stage.channel, script_method(QUOIT_UNARY), NULL,
                                 &told_handler, NULL, NULL),
                -EPERM);
        stage_deinit(&stage);
}

/* nghttp2 makes no header block over 64 KiB: the call ends, it is not begun again and again. */
static void test_metadata_too_large_to_send(void **state)
{
        static char value[70000];
        const quoit_metadata metadata = { "x-large", { value, sizeof(value) } };
        const quoit_call_options options = { .metadata = &metadata, .metadata_count = 1 };
        struct told told = { .options = &options }, next = { 0 };
        struct stage stage;

        (void)state;
        memset(value, 'x', sizeof(value));
        stage_begin_with(&stage, (quoit_client_options){ .limits.metadata_out_bytes_max = 200000 });
        told_call(&stage, &told);
        assert_int_equal(told.status, QUOIT_RESOURCE_EXHAUSTED);
        assert_non_null(strstr(told.text, "header block"));
        told_call(&stage, &next);
        assert_string_equal(next.text, "OK");
        stage_deinit(&stage);
}

/* Over, a call opens a channel of the client that is being freed: it is freed with the others. */
static void open_another(quoit_outcall *call, quoit_status status, void *user)
{
        struct stage *stage = user;
        quoit_channel *another;

        (void)call;
        assert_int_equal(status, QUOIT_CANCELLED);
        assert_int_equal(quoit_channel_new(stage->client, "127.0.0.1:1", NULL, &another), 0);
}

static void start_for_ever(void *user)
{
        static const quoit_outcall_handler handler = { .on_done = open_another };
        struct stage *stage = user;

        assert_int_equal(quoit_outcall_start(stage->channel, script_method(QUOIT_BIDI), NULL,
                                 &handler, stage, NULL),
                0);
}

static void test_a_channel_while_the_client_ends(void **state)
{
        struct stage stage;

        (void)state;
        stage_begin(&stage);
        stage_run(&stage, start_for_ever, &stage);
        stage_deinit(&stage);
}

static void test_compression(void **state)
{
        struct stage stage;

        (void)state;
        stage_begin(&stage);
        for (quoit_compression c = QUOIT_IDENTITY; c <= QUOIT_ZSTD; c++) {
                const quoit_call_options options = { .compression = c };
                struct told told = {
                        .kind = QUOIT_BIDI, .options = &options, .count = 5, .size = 5000
                };

                told_call(&stage, &told);
                assert_string_equal(told.text, "OK");
                assert_true(told.bytes >= 25000);
        }
        stage_deinit(&stage);
}

/* ---- types that are not known ---- */

struct bytes {
        struct stage *stage;
        atomic_uint dones;
        unsigned messages;
        quoit_status status;
        quoit_outcall *call;
        char reply[16]; /* the last one */
        size_t reply_size;
};

static void on_reply_bytes(quoit_outcall *call, upb_StringView message, void *user)
{
        struct bytes *bytes = user;

        (void)call;
        assert_true(message.size <= sizeof(bytes->reply));
        memcpy(bytes->reply, message.data, message.size);
        bytes->reply_size = message.size;
        bytes->messages++;
}

static void on_bytes_done(quoit_outcall *call, quoit_status status, void *user)
{
        struct bytes *bytes = user;

        (void)call;
        bytes->status = status;
        atomic_store(&bytes->dones, 1);
}

/* An Ask of one answer with two bytes, without a table of its type: the answer is a Told with them. */
static void start_bytes(void *arg)
{
        static const quoit_outcall_handler handler = { .on_bytes = on_reply_bytes,
                .on_done = on_bytes_done };
        static const quoit_method methods[] = { { "/script.Script/Unary", .kind = QUOIT_BIDI },
                { "/script.Script/Unary", .kind = QUOIT_UNARY } };
        static const char ask[] = "\x10\x01\x18\x02";
        struct bytes *bytes = arg;

        for (unsigned i = 0; i < 2; i++)
                assert_int_equal(quoit_outcall_start(bytes[i].stage->channel, methods + i, NULL,
                                         &handler, bytes + i, &bytes[i].call),
                        0);
        for (unsigned i = 0; i < 2; i++) {
                assert_int_equal(quoit_outcall_send_bytes(bytes[i].call, ask, sizeof(ask) - 1), 0);
                quoit_outcall_half_close(bytes[i].call);
        }
        assert_int_equal(quoit_outcall_send_bytes(bytes[0].call, ask, 0), -EALREADY);
}

/* That a call has a type is known by its handler. */
static void send_bytes_of_a_type(void *arg)
{
        struct told *told = arg;

        told_start(told);
        assert_int_equal(quoit_outcall_send_bytes(told->call, "", 0), -EINVAL);
}

static void test_bytes(void **state)
{
        struct stage stage;
        struct bytes bytes[2] = { { .stage = &stage }, { .stage = &stage } };
        struct told told = { .stage = &stage, .kind = QUOIT_BIDI, .asks = 1, .keeps_open = true };

        (void)state;
        stage_begin(&stage);
        stage_run(&stage, start_bytes, bytes);
        for (unsigned i = 0; i < 2; i++) {
                WAIT(atomic_load(&bytes[i].dones));
                assert_int_equal(bytes[i].status, QUOIT_OK);
                assert_int_equal(bytes[i].messages, 1);
                assert_int_equal(bytes[i].reply_size, 4);
                assert_memory_equal(bytes[i].reply, "\x12\x02", 2);
        }
        stage_run(&stage, send_bytes_of_a_type, &told);
        assert_int_equal(quoit_outcall_send_bytes(told.call, "", 0), -EPERM);
        stage_run(&stage, told_cancel, &told);
        told_wait(&told);
        stage_deinit(&stage);
}

static void test_receive_limit(void **state)
{
        struct stage stage;
        const quoit_call_options options = { .message_receive_bytes_max = 1000 };
        struct told fits = { .options = &options, .size = 900 },
                    over = { .options = &options, .size = 1100 };

        (void)state;
        stage_begin(&stage);
        told_call(&stage, &fits);
        assert_string_equal(fits.text, "OK");
        told_call(&stage, &over);
        assert_int_equal(over.status, QUOIT_RESOURCE_EXHAUSTED);
        assert_non_null(strstr(over.text, "message_receive_bytes_max"));
        stage_deinit(&stage);
}

/* ---- blocking ---- */

static quoit_status ask(
        struct stage *stage, uint32_t act, uint32_t size, uint32_t *ret_size, quoit_error *error)
{
        upb_Arena *arena = upb_Arena_New();
        script_Ask *request = script_Ask_new(arena);
        const struct upb_Message *reply = NULL;
        quoit_status status;

        script_Ask_set_act(request, act);
        script_Ask_set_size(request, size);
        status = quoit_unary_blocking(stage->channel, script_method(QUOIT_UNARY), arena,
                (const struct upb_Message *)request, &(quoit_call_options){ .timeout_ms = 10000 },
                &reply, error);
        if (status == QUOIT_OK)
                *ret_size = (uint32_t)script_Told_payload((const script_Told *)reply).size;
        upb_Arena_Free(arena);
        return status;
}

/* What a misspelt name and a lack of memory give a call to begin with. */
static void test_no_method_and_no_request(void **state)
{
        upb_Arena *arena = upb_Arena_New();
        script_Ask *request = script_Ask_new(arena);
        const struct upb_Message *reply = NULL;
        struct stage stage;
        quoit_stream *stream;
        quoit_error error;

        (void)state;
        stage_begin(&stage);
        assert_int_equal(quoit_unary_blocking(stage.channel, NULL, arena,
                                 (const struct upb_Message *)request, NULL, &reply, &error),
                QUOIT_INTERNAL);
        assert_non_null(strstr(error.text, "INTERNAL: no method: "));
        assert_int_equal(quoit_unary_blocking(stage.channel, script_method(QUOIT_UNARY), arena,
                                 NULL, NULL, &reply, &error),
                QUOIT_RESOURCE_EXHAUSTED);
        assert_int_equal(error.status, QUOIT_RESOURCE_EXHAUSTED);
        stream = quoit_stream_open(stage.channel, NULL, NULL, NULL);
        assert_false(quoit_stream_write(stream, (const struct upb_Message *)request));
        assert_false(quoit_stream_read(stream, arena, &reply));
        assert_int_equal(quoit_stream_finish(stream, &error), QUOIT_INTERNAL);
        assert_non_null(strstr(error.text, "INTERNAL: no method: "));
        assert_null(reply);
        upb_Arena_Free(arena);
        stage_deinit(&stage);
}

static void *ask_often(void *arg)
{
        for (uint32_t i = 0; i < 200; i++) {
                uint32_t size = 0;

                assert_int_equal(ask(arg, SCRIPT_ANSWER, i, &size, NULL), QUOIT_OK);
                assert_int_equal(size, i);
        }
        return NULL;
}

static void ask_here(void *arg)
{
        quoit_error error;
        uint32_t size;

        assert_int_equal(ask(arg, SCRIPT_ANSWER, 0, &size, &error), QUOIT_INTERNAL);
        assert_non_null(strstr(error.text, "ring's thread"));
}

static void test_blocking(void **state)
{
        struct stage stage;
        pthread_t threads[4];
        quoit_error error;
        uint32_t size = 0;

        (void)state;
        stage_begin(&stage);
        assert_int_equal(ask(&stage, SCRIPT_ANSWER, 50000, &size, &error), QUOIT_OK);
        assert_string_equal(quoit_error_text(&error), "OK");
        assert_int_equal(size, 50000);
        assert_int_equal(ask(&stage, SCRIPT_FAIL, 0, &size, &error), QUOIT_NOT_FOUND);
        stage_run(&stage, ask_here, &stage);
        for (unsigned i = 0; i < 4; i++)
                assert_int_equal(pthread_create(threads + i, NULL, ask_often, &stage), 0);
        for (unsigned i = 0; i < 4; i++)
                assert_int_equal(pthread_join(threads[i], NULL), 0);
        stage_deinit(&stage);
}

static void *ask_and_fail(void *arg)
{
        quoit_error error;
        uint32_t size;

        assert_int_equal(ask(arg, SCRIPT_HOLD, 0, &size, &error), QUOIT_CANCELLED);
        assert_string_equal(error.text, "CANCELLED: the channel was freed");
        return NULL;
}

/* Who waits is woken when the client ends. */
static void test_free_wakes(void **state)
{
        struct stage stage;
        struct told told = { .act = SCRIPT_HOLD };
        pthread_t thread;

        (void)state;
        stage_begin(&stage);
        told.stage = &stage;
        stage_run(&stage, told_start, &told);
        assert_int_equal(pthread_create(&thread, NULL, ask_and_fail, &stage), 0);
        usleep(50000);
        assert_null(quoit_client_free(stage.client));
        assert_int_equal(pthread_join(thread, NULL), 0);
        told_wait(&told);
        assert_int_equal(told.status, QUOIT_CANCELLED);
        stage_end_server(&stage, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_kinds),
                cmocka_unit_test(test_failures),
                cmocka_unit_test(test_deadline),
                cmocka_unit_test(test_cancel),
                cmocka_unit_test(test_credits),
                cmocka_unit_test(test_many),
                cmocka_unit_test(test_queue_is_bounded),
                cmocka_unit_test(test_metadata),
                cmocka_unit_test(test_metadata_too_large_to_send),
                cmocka_unit_test(test_a_channel_while_the_client_ends),
                cmocka_unit_test(test_compression),
                cmocka_unit_test(test_bytes),
                cmocka_unit_test(test_receive_limit),
                cmocka_unit_test(test_no_method_and_no_request),
                cmocka_unit_test(test_blocking),
                cmocka_unit_test(test_free_wakes),
        };

        return RUN_ON_BOTH_ENGINES("client/calls", tests);
}
