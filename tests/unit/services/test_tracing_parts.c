/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "comma.h"
#include "services/key_values.h"
#include "services/otlp_endpoint.h"
#include "services/sampler.h"
#include "services/span_queue.h"
#include "services/text_copy.h"
#include "services/trace_ids.h"

/* ---- samplers ---- */

static bool wants(const char *name, const char *argument, uint64_t id, const quoit_trace *parent)
{
        struct sampler sampler;
        quoit_trace trace = { 0 };

        assert_int_equal(sampler_parse(&sampler, name, argument), 0);
        for (unsigned i = 0; i < 8; i++)
                trace.trace_id[8 + i] = (uint8_t)(id >> (56 - 8 * i));
        return sampler_wants(&sampler, &trace, parent);
}

static void test_samplers(void **state)
{
        const quoit_trace sampled = { .flags = QUOIT_TRACE_SAMPLED }, not_sampled = { .flags = 2 };
        struct sampler sampler;

        (void)state;
        assert_true(wants(NULL, NULL, UINT64_MAX, NULL));
        assert_true(wants(NULL, NULL, 0, &sampled));
        assert_false(wants(NULL, NULL, 0, &not_sampled));
        assert_true(wants("always_on", NULL, UINT64_MAX, &not_sampled));
        assert_false(wants("always_off", NULL, 0, &sampled));
        assert_true(wants("parentbased_always_off", NULL, 0, &sampled));
        assert_false(wants("parentbased_always_off", NULL, 0, NULL));
        assert_true(wants("traceidratio", "0.5", (UINT64_C(1) << 63) - 1, NULL));
        assert_false(wants("traceidratio", "0.5", UINT64_C(1) << 63, NULL));
        assert_true(wants("traceidratio", NULL, UINT64_MAX, NULL));
        assert_false(wants("traceidratio", "0", 0, NULL));
        assert_int_equal(sampler_parse(&sampler, "parentbased_", NULL), -EINVAL);
        assert_int_equal(sampler_parse(&sampler, "jaeger_remote", NULL), -EINVAL);
        for (unsigned i = 0; i < 6; i++)
                assert_int_equal(
                        sampler_parse(&sampler, "traceidratio",
                                (const char *[]){ "", "-0.1", "1.1", "nan", "1x", "x" }[i]),
                        -EINVAL);
}

/* OTEL_TRACES_SAMPLER_ARG has a point, whatever the program's locale has. */
static void test_sampler_locale(void **state)
{
        (void)state;
        if (!comma_set())
                skip();
        assert_true(wants("traceidratio", "0.5", (UINT64_C(1) << 63) - 1, NULL));
        assert_false(wants("traceidratio", "0.5", UINT64_C(1) << 63, NULL));
}

/* ---- lists ---- */

static void test_key_values(void **state)
{
        char text[] = " a = b%20c , ,%41=,x=%2,y=%00,z=%zz=1,";
        char *cursor = text, *key, *value;
        static const char *const expected[] = { "a", "b c", "A", "", "x", "%2", "y", "%00", "z",
                "%zz=1" };

        (void)state;
        for (size_t i = 0; i < sizeof(expected) / sizeof(*expected); i += 2) {
                assert_true(key_values_next(&cursor, &key, &value));
                assert_string_equal(key, expected[i]);
                assert_string_equal(value, expected[i + 1]);
        }
        assert_false(key_values_next(&cursor, &key, &value));
        assert_null(cursor);
        for (unsigned i = 0; i < 2; i++) {
                char bad[2][8] = { "a,b=c", "=c" };

                cursor = bad[i];
                assert_false(key_values_next(&cursor, &key, &value));
                assert_non_null(cursor);
        }
}

/* ---- endpoints ---- */

static void test_endpoints(void **state)
{
        static const struct {
                const char *endpoint;
                bool insecure;
                const char *target; /* NULL: it is bad */
                bool is_tls;
        } cases[] = {
                { "http://localhost:4317", false, "localhost:4317", false },
                { "HTTP://localhost:4317/", false, "localhost:4317", false },
                { "https://collector.example", true, "collector.example:4317", true },
                { "http://[::1]", false, "[::1]:4317", false },
                { "http://[::1]:5", false, "[::1]:5", false },
                { "localhost:4317", false, "localhost:4317", true },
                { "localhost:4317", true, "localhost:4317", false },
                { "unix:/run/otel", false, "unix:/run/otel", false },
                { "http://", false, NULL, false },
                { "https:///x", false, NULL, false },
                { "http://a:1/v1/traces", false, NULL, false },
                { "http://a:1?x", false, NULL, false },
        };
        char target[OTLP_TARGET_BYTES], *longest = calloc(1, 1000);
        bool is_tls;

        (void)state;
        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
                bool is_good =
                        otlp_endpoint_parse(cases[i].endpoint, cases[i].insecure, target, &is_tls);

                assert_int_equal(is_good, cases[i].target != NULL);
                if (is_good)
                        assert_string_equal(target, cases[i].target);
                if (is_good)
                        assert_int_equal(is_tls, cases[i].is_tls);
        }
        memset(longest, 'a', 999);
        assert_false(otlp_endpoint_parse(longest, false, target, &is_tls));
        memcpy(longest, "http://", 7);
        assert_false(otlp_endpoint_parse(longest, false, target, &is_tls));
        free(longest);
}

/* ---- ids ---- */

static int compare(const void *a, const void *b)
{
        return memcmp(a, b, 8);
}

static void test_ids(void **state)
{
        enum { COUNT = 100000 };
        uint8_t(*spans)[8] = malloc(sizeof(*spans) * COUNT);
        struct trace_ids ids;
        quoit_trace first, trace;

        (void)state;
        trace_ids_init(&ids);
        trace_ids_make(&ids, NULL, &first);
        assert_int_equal(first.flags, QUOIT_TRACE_RANDOM);
        first.flags = QUOIT_TRACE_SAMPLED;
        for (unsigned i = 0; i < COUNT; i++) {
                trace_ids_make(&ids, i % 2 ? &first : NULL, &trace);
                assert_int_equal(memcmp(trace.trace_id, first.trace_id, 16) == 0, i % 2);
                memcpy(spans[i], trace.span_id, 8);
        }
        assert_int_equal(trace.flags, 0); /* sampled is for the sampler to say */
        qsort(spans, COUNT, sizeof(*spans), compare);
        for (unsigned i = 1; i < COUNT; i++)
                assert_int_not_equal(compare(spans[i - 1], spans[i]), 0);
        free(spans);
}

/* ---- the queue ---- */

static void put(struct span_queue *queue, uint64_t from, uint64_t to)
{
        for (uint64_t i = from; i < to; i++)
                span_queue_put(queue, &(struct span){ .started_ns = i });
}

static void test_queue(void **state)
{
        struct span_queue queue;
        struct span batch[4];

        (void)state;
        assert_int_equal(span_queue_init(&queue, 10, 4, 3600000), 0);
        put(&queue, 0, 13); /* the last three find no room */
        assert_int_equal(span_queue_dropped(&queue), 3);
        for (uint64_t next = 0; next < 8;) {
                assert_int_equal(span_queue_take(&queue, batch), 4);
                for (unsigned i = 0; i < 4; i++)
                        assert_int_equal(batch[i].started_ns, next++);
        }
        put(&queue, 10, 15); /* around the end */
        assert_int_equal(span_queue_take(&queue, batch), 4);
        assert_int_equal(batch[3].started_ns, 11);
        assert_int_equal(span_queue_flush(&queue, 0), -ETIMEDOUT);
        span_queue_close(&queue);
        assert_int_equal(span_queue_take(&queue, batch), 3);
        assert_int_equal(batch[2].started_ns, 14);
        assert_int_equal(span_queue_flush(&queue, 1), -ETIMEDOUT); /* what was taken is not sent */
        assert_int_equal(span_queue_take(&queue, batch), 0);
        assert_int_equal(span_queue_flush(&queue, 0), 0);
        span_queue_deinit(&queue);
}

static void *take_all(void *user)
{
        struct span batch[4];
        size_t taken = 0, count;

        while ((count = span_queue_take(user, batch)) > 0)
                taken += count;
        return (void *)taken;
}

/* A flush does not wait for more, nor for the time; without one the time ends a wait. */
static void test_flush(void **state)
{
        struct span_queue queue;
        pthread_t thread;
        void *taken;

        (void)state;
        assert_int_equal(span_queue_init(&queue, 1000, 4, 3600000), 0);
        pthread_create(&thread, NULL, take_all, &queue);
        for (unsigned i = 0; i < 100; i++) {
                put(&queue, 0, i % 7);
                assert_int_equal(span_queue_flush(&queue, 30000), 0);
        }
        put(&queue, 0, 2);
        span_queue_close(&queue);
        pthread_join(thread, &taken);
        assert_int_equal((size_t)taken, 100 / 7 * 21 + 1 + 2);
        span_queue_deinit(&queue);
        assert_int_equal(span_queue_init(&queue, 1000, 4, 1), 0);
        put(&queue, 0, 1);
        assert_int_equal(span_queue_take(&queue, (struct span[4]){ 0 }), 1);
        span_queue_deinit(&queue);
}

static void *flush(void *user)
{
        return (void *)(intptr_t)span_queue_flush(user, 30000);
}

static void await_flush(struct span_queue *queue, uint64_t target)
{
        bool has_begun = false;

        while (!has_begun) {
                sched_yield();
                pthread_mutex_lock(&queue->mutex);
                has_begun = queue->hurry_until == target;
                pthread_mutex_unlock(&queue->mutex);
        }
}

/* A flush does not wait for what comes after it, and does not make that hurry. */
static void test_flush_under_load(void **state)
{
        struct span_queue queue;
        struct span batch[4];
        pthread_t thread;
        struct timespec from, to;
        void *flushed;

        (void)state;
        assert_int_equal(span_queue_init(&queue, 1000, 4, 20), 0);
        put(&queue, 0, 3);
        pthread_create(&thread, NULL, flush, &queue);
        await_flush(&queue, 3);
        assert_int_equal(span_queue_take(&queue, batch), 3);
        put(&queue, 3, 5);
        clock_gettime(CLOCK_MONOTONIC, &from);
        assert_int_equal(span_queue_take(&queue, batch), 2);
        clock_gettime(CLOCK_MONOTONIC, &to);
        assert_true((to.tv_sec - from.tv_sec) * 1000000000 + to.tv_nsec - from.tv_nsec >= 20000000);
        pthread_join(thread, &flushed); /* though those two are not sent */
        assert_int_equal((intptr_t)flushed, 0);
        assert_int_equal(span_queue_flush(&queue, 0), -ETIMEDOUT);
        span_queue_close(&queue);
        assert_int_equal(span_queue_take(&queue, batch), 0);
        assert_int_equal(span_queue_flush(&queue, 0), 0);
        span_queue_deinit(&queue);
}

/* ---- text of a peer ---- */

static void check_copy(const char *from, size_t size, const char *wanted)
{
        char *to = malloc(size); /* exactly: the sanitizer sees what is behind it */

        text_copy(to, size, from, strlen(from));
        assert_string_equal(to, wanted);
        free(to);
}

static void test_text_copy(void **state)
{
        (void)state;
        check_copy("", 1, "");
        check_copy("ab", 1, "");
        check_copy("ab", 3, "ab");
        check_copy("a\u00e4\u20ac\U0001f600", 20, "a\u00e4\u20ac\U0001f600");
        check_copy("a\u00e4", 3, "a"); /* cut before a character */
        check_copy("a\U0001f600", 5, "a");
        check_copy("a\U0001f600", 6, "a\U0001f600");
        check_copy("\xff", 3, ""); /* no room for what stands in its place */
        check_copy("a\xff"
                   "b",
                20,
                "a\ufffd"
                "b");
        check_copy("a\xe2\x82", 20, "a\ufffd\ufffd"); /* ends inside one */
        check_copy("\xc0\x80", 20, "\ufffd\ufffd");
        check_copy("\xe0\x9f\xbf", 20, "\ufffd\ufffd\ufffd");
        check_copy("\xed\xa0\x80", 20, "\ufffd\ufffd\ufffd");
        check_copy("\xf4\x90\x80\x80", 20, "\ufffd\ufffd\ufffd\ufffd");
        check_copy("\xf0\x8f\xbf\xbf", 20, "\ufffd\ufffd\ufffd\ufffd");
        check_copy("\xf5", 20, "\ufffd");
}

static void test_text_is_utf8(void **state)
{
        (void)state;
        assert_true(text_is_utf8(""));
        assert_true(text_is_utf8("a\u00e4\u20ac\U0001f600"));
        assert_false(text_is_utf8("ab\xff"));
        assert_false(text_is_utf8("a\xe2\x82")); /* ends inside one */
        assert_false(text_is_utf8("\xed\xa0\x80 "));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_samplers),
                cmocka_unit_test(test_sampler_locale),
                cmocka_unit_test(test_key_values),
                cmocka_unit_test(test_endpoints),
                cmocka_unit_test(test_ids),
                cmocka_unit_test(test_queue),
                cmocka_unit_test(test_flush),
                cmocka_unit_test(test_flush_under_load),
                cmocka_unit_test(test_text_copy),
                cmocka_unit_test(test_text_is_utf8),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
