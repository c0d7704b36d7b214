/* SPDX-License-Identifier: MIT */

/* Hedged calls, against a server of ours. */

#include "stage.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

#include "client/channel.h"
#include "client/handle.h"
#include "client/subchannel.h"

#define HEDGING(attempts, delay)                                                                   \
        "{\"methodConfig\": [{\"name\": [{}], \"hedgingPolicy\": {\"maxAttempts\": " attempts      \
        ", \"hedgingDelay\": \"" delay "\", \"nonFatalStatusCodes\": [\"NOT_FOUND\"]}}]}"

static quoit_retry_statistics retries_of(const struct stage *stage)
{
        quoit_retry_statistics retries;

        quoit_channel_get_retries(stage->channel, &retries);
        return retries;
}

static void assert_nothing_is_kept(void *arg)
{
        const struct stage *stage = arg;

        assert_int_equal(stage->channel->parts[0]->replay.bytes, 0);
}

/* All kinds of calls: the caller hears of one response. */
static void test_kinds(void **state)
{
        static const quoit_method_kind kinds[] = { QUOIT_UNARY, QUOIT_SERVER_STREAMING,
                QUOIT_CLIENT_STREAMING, QUOIT_BIDI };
        struct stage stage;

        (void)state;
        stage_begin_configured(&stage, NULL, HEDGING("3", "0s"));
        for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
                bool takes_many = kinds[i] == QUOIT_SERVER_STREAMING || kinds[i] == QUOIT_BIDI;
                struct told told = { .kind = kinds[i], .asks = 3, .count = 50, .size = 3000 };

                told_call(&stage, &told);
                assert_string_equal(told.text, "OK");
                assert_int_equal(told.headers, 1);
                assert_true(takes_many ? told.messages >= 50 : told.messages == 1);
        }
        stage_deinit(&stage);
}

static void assert_four_failed(void *arg)
{
        const struct channel *channel = ((const struct stage *)arg)->channel->parts[0];

        assert_int_equal(channel->subchannels[0]->outlier.failed, 4);
        assert_int_equal(channel->subchannels[0]->calls, 0);
}

/* Those that fail in a way that is not fatal begin the next one; the last one is what the caller hears. */
static void test_failures(void **state)
{
        struct told told = { .act = SCRIPT_FAIL };
        struct stage stage;

        (void)state;
        stage_begin_configured(&stage, NULL, HEDGING("4", "100s"));
        told_call(&stage, &told);
        assert_int_equal(told.status, QUOIT_NOT_FOUND);
        assert_int_equal(told.headers, 0);
        assert_int_equal(stage.servers[0].script.started, 4);
        assert_int_equal(retries_of(&stage).hedged, 3);
        stage_run(&stage, assert_nothing_is_kept, &stage);
        stage_run(&stage, assert_four_failed, &stage);
        stage_deinit(&stage);
}

/* All attempts end with their call. */
static void test_cancel(void **state)
{
        struct told told = { .act = SCRIPT_HOLD }, freed = { .act = SCRIPT_HOLD };
        struct stage stage;

        (void)state;
        stage_begin_configured(&stage, NULL, HEDGING("3", "0.01s"));
        told.stage = freed.stage = &stage;
        stage_run(&stage, told_start, &told);
        WAIT(stage_started(&stage, 0) >= 3);
        stage_run(&stage, told_cancel, &told);
        told_wait(&told);
        assert_string_equal(told.text, "CANCELLED: cancelled by the caller");
        stage_run(&stage, told_start, &freed);
        WAIT(stage_started(&stage, 0) >= 5);
        stage.channel = quoit_channel_free(stage.channel);
        told_wait(&freed);
        assert_string_equal(freed.text, "CANCELLED: the channel was freed");
        stage_deinit(&stage);
}

/* The winner is cancelled by what the caller has in hand. */
static void test_cancel_the_winner(void **state)
{
        struct told told = { .kind = QUOIT_SERVER_STREAMING, .act = SCRIPT_ENDLESS, .size = 100 };
        struct stage stage;

        (void)state;
        stage_begin_configured(&stage, NULL, HEDGING("3", "0s"));
        told.stage = &stage;
        stage_run(&stage, told_start, &told);
        WAIT(told.messages >= 100);
        stage_run(&stage, told_cancel, &told);
        told_wait(&told);
        assert_int_equal(told.status, QUOIT_CANCELLED);
        stage_deinit(&stage);
}

/* What was set before any attempt won counts for the winner. */
static void test_credits(void **state)
{
        struct told told = { .kind = QUOIT_SERVER_STREAMING, .count = 100, .size = 9000 };
        struct stage stage;

        (void)state;
        stage_begin_configured(&stage, NULL, HEDGING("2", "0s"));
        told.stage = &stage;
        stage_run(&stage, told_start_with_two_credits, &told);
        WAIT(told.messages >= 2);
        usleep(20000);
        assert_int_equal(told.messages, 2);
        stage_run(&stage, told_read_on, &told);
        told_wait(&told);
        assert_string_equal(told.text, "OK");
        assert_int_equal(told.messages, 100);
        stage_deinit(&stage);
}

/* Once the server's status is here there is no deadline any more, whenever the caller reads. */
static void test_late_reader(void **state)
{
        const quoit_call_options options = { .timeout_ms = 300 };
        struct told told = { .kind = QUOIT_SERVER_STREAMING, .count = 10, .options = &options };
        struct stage stage;

        (void)state;
        stage_begin_configured(&stage, NULL, HEDGING("2", "0s"));
        told.stage = &stage;
        stage_run(&stage, told_start_with_two_credits, &told);
        usleep(600000);
        assert_int_equal(atomic_load(&told.dones), 0);
        stage_run(&stage, told_read_on, &told);
        told_wait(&told);
        assert_string_equal(told.text, "OK");
        assert_int_equal(told.messages, 10);
        stage_deinit(&stage);
}

/* ---- a caller that sends as fast as the call takes it ---- */

#define PUMP_MESSAGES 200
#define PUMP_BYTES 10000

struct pump {
        struct told told;
        unsigned sent, waits;
};

static void send_more(quoit_outcall *call, void *user)
{
        struct pump *pump = user;
        static char payload[PUMP_BYTES];

        while (pump->sent < PUMP_MESSAGES && quoit_outcall_writable(call)) {
                upb_Arena *arena = upb_Arena_New();
                script_Ask *ask = script_Ask_new(arena);

                script_Ask_set_payload(ask, upb_StringView_FromDataAndSize(payload, PUMP_BYTES));
                assert_int_equal(quoit_outcall_send(call, (const struct upb_Message *)ask), 0);
                upb_Arena_Free(arena);
                pump->sent++;
        }
        if (pump->sent == PUMP_MESSAGES)
                quoit_outcall_half_close(call);
        else
                pump->waits++;
}

static void pump_done(quoit_outcall *call, quoit_status status, void *user)
{
        struct pump *pump = user;

        told_handler.on_done(call, status, &pump->told);
}

static void start_pump(void *arg)
{
        static const quoit_outcall_handler handler = { .on_writable = send_more,
                .on_done = pump_done };
        struct pump *pump = arg;
        struct told *told = &pump->told;

        assert_int_equal(
                quoit_outcall_start(told->stage->channel, script_method(QUOIT_CLIENT_STREAMING),
                        NULL, &handler, pump, &told->call),
                0);
        send_more(told->call, pump);
}

/* More than is kept: one attempt gets all of it, however the caller had to wait. */
static void test_pump(void **state)
{
        static const char *const configs[] = { HEDGING("3", "0s"), HEDGING("3", "0.002s"),
                HEDGING("3", "100s") };

        (void)state;
        for (size_t i = 0; i < sizeof(configs) / sizeof(*configs); i++) {
                struct stage stage;
                struct pump pump = { .told.stage = &stage };

                stage_begin_configured(&stage, NULL, configs[i]);
                stage_run(&stage, start_pump, &pump);
                told_wait(&pump.told);
                assert_string_equal(pump.told.text, "OK");
                assert_true(pump.waits > 0);
                assert_int_equal(retries_of(&stage).overruns, 1);
                stage_run(&stage, assert_nothing_is_kept, &stage);
                stage_deinit(&stage);
                assert_true(stage.servers[0].script.messages >= PUMP_MESSAGES);
        }
}

/* What a hedged call keeps for other attempts, and one has sent, waits for nothing: the limit of a queue is no limit of that. */
static void test_pump_more_than_a_queue(void **state)
{
        const quoit_client_limits limits = {
                .call_queue_bytes_hard_max = 100000,
                .replay_bytes_max = 100 * PUMP_MESSAGES * PUMP_BYTES,
                .replay_channel_bytes_max = 100 * PUMP_MESSAGES * PUMP_BYTES,
        };
        struct stage stage;
        struct pump pump = { .told.stage = &stage };

        (void)state;
        stage_begin_configured(&stage, &limits, HEDGING("2", "100s"));
        stage_run(&stage, start_pump, &pump);
        told_wait(&pump.told);
        assert_string_equal(pump.told.text, "OK");
        assert_int_equal(retries_of(&stage).overruns, 0);
        stage_deinit(&stage);
}

/* ---- a server that does not read, and refuses ---- */

#define REFUSED_MESSAGES 4
#define REFUSED_BYTES (1u << 20)

static void write_all(int fd, const void *data, size_t size)
{
        assert_int_equal(write(fd, data, size), size);
}

static int listen_with_small_buffer(char target[static 32])
{
        struct sockaddr_in address = { .sin_family = AF_INET,
                .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        socklen_t size = sizeof(address);
        int buffer_bytes = 4096, fd = socket(AF_INET, SOCK_STREAM, 0);

        assert_int_equal(
                setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer_bytes, sizeof(buffer_bytes)), 0);
        assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
        assert_int_equal(listen(fd, 10), 0);
        assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
        snprintf(target, 32, "127.0.0.1:%u", ntohs(address.sin_port));
        return fd;
}

static void send_message(void *arg)
{
        static char payload[REFUSED_BYTES];
        struct told *told = arg;
        upb_Arena *arena = upb_Arena_New();
        script_Ask *ask = script_Ask_new(arena);

        script_Ask_set_payload(ask, upb_StringView_FromDataAndSize(payload, sizeof(payload)));
        assert_int_equal(quoit_outcall_send(told->call, (const struct upb_Message *)ask), 0);
        upb_Arena_Free(arena);
}

/* A call to it has begun, and all of its messages wait. The connection. */
static int begin_to_refuser(struct stage *stage, struct told *told, int *ret_listener)
{
        static const uint8_t hello[] = "\0\0\6\4\0\0\0\0\0\0\4\x7f\xff\xff\xff"
                                       "\0\0\4\x8\0\0\0\0\0\x7f\0\0\0";
        const quoit_client_limits limits = {
                .replay_bytes_max = (REFUSED_MESSAGES + 1) * REFUSED_BYTES,
                .call_queue_bytes_hard_max = 100 * REFUSED_BYTES,
        };
        const quoit_channel_options options = { .service_config = HEDGING("2", "100s") };
        char target[32];
        int fd;

        *ret_listener = listen_with_small_buffer(target);
        stage_init(stage, &limits);
        stage_open_with(stage, target, &options);
        *told = (struct told){ .stage = stage, .kind = QUOIT_CLIENT_STREAMING, .keeps_open = true };
        stage_run(stage, told_start, told);
        fd = accept(*ret_listener, NULL, NULL);
        assert_true(fd >= 0);
        write_all(fd, hello, sizeof(hello) - 1);
        for (unsigned i = 0; i < REFUSED_MESSAGES; i++)
                stage_run(stage, send_message, told);
        usleep(100000);
        return fd;
}

/* The only attempt is refused while an output refers to its bytes, and wins before it can begin again: all of it is sent anew. */
static void test_win_between_two_attempts(void **state)
{
        static const uint8_t refusal[] = "\0\0\4\3\0\0\0\0\1\0\0\0\7";
        static uint8_t received[1 << 16];
        struct stage stage;
        struct told told;
        size_t bytes = 0;
        int listener, fd = begin_to_refuser(&stage, &told, &listener);

        (void)state;
        write_all(fd, refusal, sizeof(refusal) - 1);
        WAIT(retries_of(&stage).transparent > 0);
        stage_run(&stage, send_message, &told);
        stage_run(&stage, send_message, &told);
        assert_int_equal(retries_of(&stage).overruns, 1);
        while (bytes < (REFUSED_MESSAGES + 2) * (size_t)REFUSED_BYTES) {
                ssize_t r = read(fd, received, sizeof(received));

                assert_true(r > 0);
                bytes += (size_t)r;
        }
        stage_run(&stage, told_cancel, &told);
        told_wait(&told);
        assert_int_equal(told.status, QUOIT_CANCELLED);
        close(fd);
        stage_deinit(&stage);
        close(listener);
}

/* Whoever frees a client waits for seconds at most, and not as long as for calls (stall_ms). */
static void test_end_without_a_reader(void **state)
{
        struct stage stage;
        struct told told;
        int listener, fd = begin_to_refuser(&stage, &told, &listener);
        uint64_t began_ns = clock_ns();

        (void)state;
        stage_deinit(&stage);
        assert_true(clock_ns() - began_ns < 30 * SECOND);
        assert_int_equal(told.status, QUOIT_CANCELLED);
        close(fd);
        close(listener);
}

/* ---- attempts that wait ---- */

static void assert_three_wait(void *arg)
{
        const struct stage *stage = arg;

        assert_int_equal(stage->channel->parts[0]->queued, 3);
}

/* They count among the calls that wait, and further ones are not begun. */
static void test_queue_is_bounded(void **state)
{
        const quoit_client_limits limits = { .calls_queued_max = 3 };
        const quoit_channel_options options = { .service_config = HEDGING("5", "0s") };
        const quoit_call_options patient = { .timeout_ms = 2000,
                .wait_for_ready = QUOIT_WAIT_FOR_READY };
        struct told told = { .options = &patient }, other = { .options = &patient };
        struct stage stage;

        (void)state;
        stage_init(&stage, &limits);
        stage_open_with(&stage, "unix:/nonexistent/socket", &options);
        told.stage = &stage;
        stage_run(&stage, told_start, &told);
        WAIT(retries_of(&stage).hedged >= 2);
        stage_run(&stage, assert_three_wait, &stage);
        told_call(&stage, &other);
        assert_int_equal(other.status, QUOIT_RESOURCE_EXHAUSTED);
        told_wait(&told);
        assert_int_equal(told.status, QUOIT_DEADLINE_EXCEEDED);
        assert_int_equal(retries_of(&stage).hedged, 2);
        stage_deinit(&stage);
}

static void cancel_if_it_waits(void *arg)
{
        struct told *told = arg;

        if (told->call)
                quoit_outcall_cancel(told->call);
}

/* An attempt that is due while there is no room begins when there is some. */
static void test_room_comes_back(void **state)
{
        const quoit_client_limits limits = { .calls_queued_max = 1, .streams_max = 1 };
        struct told told = { .act = SCRIPT_HOLD }, other = { .act = SCRIPT_HOLD };
        struct stage stage;

        (void)state;
        stage_begin_configured(&stage, &limits, HEDGING("2", "0.1s"));
        told.stage = other.stage = &stage;
        stage_run(&stage, told_start, &told);
        WAIT(stage_started(&stage, 0) >= 1);
        stage_run(&stage, told_start, &other); /* the only one that may wait */
        usleep(300000);
        stage_run(&stage, cancel_if_it_waits, &other);
        WAIT(retries_of(&stage).hedged >= 1);
        stage_run(&stage, told_cancel, &told);
        told_wait(&told);
        told_wait(&other);
        stage_deinit(&stage);
}

static void test_many(void **state)
{
        static struct told told[300];
        struct stage stage;

        (void)state;
        stage_begin_configured(&stage, NULL, HEDGING("4", "0.001s"));
        for (size_t i = 0; i < 300; i++) {
                told[i] = (struct told){
                        .stage = &stage, .act = i % 3 ? SCRIPT_ANSWER : SCRIPT_FAIL, .size = 50
                };
                stage_run(&stage, told_start, told + i);
        }
        for (size_t i = 0; i < 300; i++) {
                told_wait(told + i);
                assert_int_equal(told[i].status, i % 3 ? QUOIT_OK : QUOIT_NOT_FOUND);
        }
        stage_run(&stage, assert_nothing_is_kept, &stage);
        stage_deinit(&stage);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_kinds),
                cmocka_unit_test(test_failures),
                cmocka_unit_test(test_cancel),
                cmocka_unit_test(test_cancel_the_winner),
                cmocka_unit_test(test_credits),
                cmocka_unit_test(test_late_reader),
                cmocka_unit_test(test_pump),
                cmocka_unit_test(test_pump_more_than_a_queue),
                cmocka_unit_test(test_win_between_two_attempts),
                cmocka_unit_test(test_end_without_a_reader),
                cmocka_unit_test(test_queue_is_bounded),
                cmocka_unit_test(test_room_comes_back),
                cmocka_unit_test(test_many),
        };

        return RUN_ON_BOTH_ENGINES("client/hedging", tests);
}
