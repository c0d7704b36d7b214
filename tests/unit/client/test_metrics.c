/* SPDX-License-Identifier: MIT */

/* What <quoit/client_metrics.h> counts. */

#include "stage.h"

#include <errno.h>
#include <stdio.h>

/* ---- what is read of one method, of one status ---- */

struct wanted {
        const char *target, *method;
        quoit_status status;
        unsigned tells; /* of on_started for it */
        unsigned methods; /* of the target */
        uint64_t started, attempts, calls, others;
        double call_seconds, attempt_seconds, sent_bytes, received_bytes;
        uint64_t retries[6], transparent_retries[7], hedges[6], delays;
        double delay_seconds;
};

static bool is_wanted(const struct wanted *wanted, const char *target, const char *method)
{
        return strcmp(target, wanted->target) == 0 && strcmp(method, wanted->method) == 0;
}

static void on_started(void *user, const char *target, const char *method, uint64_t started)
{
        struct wanted *wanted = user;

        wanted->methods += strcmp(target, wanted->target) == 0;
        if (strcmp(method, "other") == 0)
                wanted->others += started;
        if (!is_wanted(wanted, target, method))
                return;
        wanted->tells++;
        wanted->started += started;
}

static void on_attempts(void *user, const char *target, const char *method, quoit_status status,
        const quoit_histogram *duration_s, const quoit_histogram *sent_bytes,
        const quoit_histogram *received_bytes)
{
        struct wanted *wanted = user;

        if (!is_wanted(wanted, target, method) || status != wanted->status)
                return;
        assert_int_equal(duration_s->bound_count, 41);
        assert_int_equal(sent_bytes->bound_count, 14);
        assert_int_equal(duration_s->count, sent_bytes->count);
        assert_int_equal(duration_s->count, received_bytes->count);
        wanted->attempts += duration_s->count;
        wanted->attempt_seconds += duration_s->sum;
        wanted->sent_bytes += sent_bytes->sum;
        wanted->received_bytes += received_bytes->sum;
}

static void on_calls(void *user, const char *target, const char *method, quoit_status status,
        const quoit_histogram *duration_s)
{
        struct wanted *wanted = user;

        if (!is_wanted(wanted, target, method) || status != wanted->status)
                return;
        wanted->calls += duration_s->count;
        wanted->call_seconds += duration_s->sum;
}

static void on_retries(void *user, const char *target, const char *method,
        const quoit_histogram *retries, const quoit_histogram *transparent_retries,
        const quoit_histogram *hedges, const quoit_histogram *retry_delay_s)
{
        struct wanted *wanted = user;

        if (!is_wanted(wanted, target, method))
                return;
        assert_int_equal(retries->bound_count, 5);
        assert_int_equal(transparent_retries->bound_count, 6);
        assert_int_equal(hedges->bound_count, 5);
        assert_true(retries->bounds[0] == 1 && transparent_retries->bounds[5] == 10);
        memcpy(wanted->retries, retries->counts, sizeof(wanted->retries));
        memcpy(wanted->transparent_retries, transparent_retries->counts,
                sizeof(wanted->transparent_retries));
        memcpy(wanted->hedges, hedges->counts, sizeof(wanted->hedges));
        wanted->delays = retry_delay_s->count;
        wanted->delay_seconds = retry_delay_s->sum;
}

static struct wanted read_metrics(const quoit_client_metrics *metrics, const char *target,
        const char *method, quoit_status status)
{
        static const quoit_client_metrics_reader reader = { .on_started = on_started,
                .on_attempts = on_attempts,
                .on_calls = on_calls,
                .on_retries = on_retries };
        struct wanted wanted = { .target = target, .method = method, .status = status };

        quoit_client_metrics_read(metrics, &reader, &wanted);
        return wanted;
}

static uint64_t calls_of(
        const quoit_client_metrics *metrics, const char *target, quoit_status status)
{
        return read_metrics(metrics, target, "script.Script/Unary", status).calls;
}

/* ---- tests ---- */

static quoit_client_metrics *new_metrics(void)
{
        quoit_client_metrics *metrics;

        assert_int_equal(quoit_client_metrics_new(&metrics), 0);
        return metrics;
}

/* Two channels of one target are one, on all rings and by all forms of calls. */
static void test_calls(void **state)
{
        quoit_client_metrics *metrics = new_metrics();
        struct stage stage;
        quoit_channel *other;
        struct wanted seen;
        char target[64];

        (void)state;
        stage_begin_with(&stage, (quoit_client_options){ .rings = 3 });
        assert_int_equal(quoit_channel_new(stage.client, stage.servers[0].target, NULL, &other), 0);
        assert_int_equal(quoit_client_metrics_attach(metrics, stage.channel), 0);
        assert_int_equal(quoit_client_metrics_attach(metrics, other), 0);
        snprintf(target, sizeof(target), "dns:///%s", stage.servers[0].target);
        for (unsigned i = 0; i < 9; i++) {
                assert_int_equal(call_blocking(stage.channel, SCRIPT_ANSWER, NULL), QUOIT_OK);
                assert_int_equal(call_blocking(other, SCRIPT_ANSWER, NULL), QUOIT_OK);
                assert_int_equal(call_blocking(other, SCRIPT_FAIL, NULL), QUOIT_NOT_FOUND);
        }
        WAIT(calls_of(metrics, target, QUOIT_OK) == 18);
        WAIT(calls_of(metrics, target, QUOIT_NOT_FOUND) == 9);
        seen = read_metrics(metrics, target, "script.Script/Unary", QUOIT_NOT_FOUND);
        assert_int_equal(seen.tells, 1);
        assert_int_equal(seen.methods, 1);
        assert_int_equal(seen.started, 27);
        assert_int_equal(seen.attempts, 9);
        assert_true(seen.call_seconds > 0 && seen.attempt_seconds > 0);
        assert_true(seen.sent_bytes == 18 && seen.received_bytes == 0); /* act: two bytes */
        assert_int_equal(seen.delays, 0);
        assert_int_equal(quoit_client_metrics_attach(metrics, other), -EBUSY);
        quoit_channel_free(other);
        stage_deinit(&stage);
        assert_null(quoit_client_metrics_free(metrics));
}

static void test_retries(void **state)
{
        quoit_client_metrics *metrics = new_metrics();
        struct stage stage;
        struct wanted seen;
        char target[64];

        (void)state;
        stage_begin_configured(&stage, NULL,
                "{\"methodConfig\": [{\"name\": [{}], \"retryPolicy\": {\"maxAttempts\": 4, "
                "\"initialBackoff\": \"0.01s\", \"maxBackoff\": \"1s\", \"backoffMultiplier\": 1, "
                "\"retryableStatusCodes\": [\"NOT_FOUND\"]}}]}");
        assert_int_equal(quoit_client_metrics_attach(metrics, stage.channel), 0);
        snprintf(target, sizeof(target), "dns:///%s", stage.servers[0].target);
        assert_int_equal(call_blocking(stage.channel, SCRIPT_FAIL, NULL), QUOIT_NOT_FOUND);
        assert_int_equal(call_blocking(stage.channel, SCRIPT_ANSWER, NULL), QUOIT_OK);
        WAIT(calls_of(metrics, target, QUOIT_OK) == 1);
        seen = read_metrics(metrics, target, "script.Script/Unary", QUOIT_NOT_FOUND);
        assert_int_equal(seen.calls, 1);
        assert_int_equal(seen.attempts, 4);
        assert_int_equal(seen.started, 5);
        assert_int_equal(seen.retries[2], 1); /* up to three */
        assert_int_equal(seen.hedges[0] + seen.transparent_retries[0], 0);
        assert_int_equal(seen.delays, 1);
        assert_true(seen.delay_seconds >= 0.024 && seen.delay_seconds < seen.call_seconds);
        stage_deinit(&stage);
        quoit_client_metrics_free(metrics);
}

static void test_hedges(void **state)
{
        quoit_client_metrics *metrics = new_metrics();
        struct stage stage;
        struct wanted seen;
        char target[64];

        (void)state;
        stage_begin_configured(&stage, NULL,
                "{\"methodConfig\": [{\"name\": [{}], \"hedgingPolicy\": {\"maxAttempts\": 3, "
                "\"hedgingDelay\": \"100s\", \"nonFatalStatusCodes\": [\"NOT_FOUND\"]}}]}");
        assert_int_equal(quoit_client_metrics_attach(metrics, stage.channel), 0);
        snprintf(target, sizeof(target), "dns:///%s", stage.servers[0].target);
        assert_int_equal(call_blocking(stage.channel, SCRIPT_FAIL, NULL), QUOIT_NOT_FOUND);
        WAIT(calls_of(metrics, target, QUOIT_NOT_FOUND) == 1);
        seen = read_metrics(metrics, target, "script.Script/Unary", QUOIT_NOT_FOUND);
        assert_int_equal(seen.started, 3);
        assert_int_equal(seen.attempts, 3);
        assert_int_equal(seen.hedges[1], 1);
        assert_int_equal(seen.retries[0], 0);
        stage_deinit(&stage);
        quoit_client_metrics_free(metrics);
}

/* ---- methods that nobody has written down ---- */

#define MADE_UP (QUOIT_CLIENT_METRICS_METHODS_MAX + 50)

/* They have labels up to a limit; their names are the program's, and gone when they are read. */
static void test_made_up(void **state)
{
        static quoit_method methods[MADE_UP];
        static char paths[MADE_UP][32];
        quoit_client_metrics *metrics = new_metrics();
        struct stage stage;
        struct wanted seen;
        char target[64];

        (void)state;
        stage_begin(&stage);
        assert_int_equal(quoit_client_metrics_attach(metrics, stage.channel), 0);
        snprintf(target, sizeof(target), "dns:///%s", stage.servers[0].target);
        for (unsigned i = 0; i < MADE_UP; i++) {
                upb_Arena *arena = upb_Arena_New();
                const struct upb_Message *reply;

                snprintf(paths[i], sizeof(paths[i]), "/made.Up/Method%u", i);
                methods[i] = *script_method(QUOIT_UNARY);
                methods[i].path = paths[i];
                assert_int_equal(quoit_unary_blocking(stage.channel, methods + i, arena,
                                         (const struct upb_Message *)script_Ask_new(arena), NULL,
                                         &reply, NULL),
                        QUOIT_UNIMPLEMENTED);
                upb_Arena_Free(arena);
        }
        stage_deinit(&stage);
        memset(paths, 0, sizeof(paths));
        seen = read_metrics(metrics, target, "made.Up/Method7", QUOIT_UNIMPLEMENTED);
        assert_int_equal(seen.methods, QUOIT_CLIENT_METRICS_METHODS_MAX + 1);
        assert_int_equal(seen.others, MADE_UP - QUOIT_CLIENT_METRICS_METHODS_MAX);
        assert_int_equal(seen.started, 1);
        assert_int_equal(seen.calls, 1);
        quoit_client_metrics_free(metrics);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_calls),
                cmocka_unit_test(test_retries),
                cmocka_unit_test(test_hedges),
                cmocka_unit_test(test_made_up),
        };

        return RUN_ON_BOTH_ENGINES("client/metrics", tests);
}
