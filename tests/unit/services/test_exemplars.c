/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "services/exemplars.h"

#define NS_PER_S UINT64_C(1000000000)
#define MANY 20000

/* All bytes of its ids are @byte. */
static quoit_trace make(int byte)
{
        quoit_trace trace = { .flags = QUOIT_TRACE_SAMPLED };

        memset(trace.trace_id, byte, sizeof(trace.trace_id));
        memset(trace.span_id, byte, sizeof(trace.span_id));
        return trace;
}

static void note(struct exemplars *_Atomic *slot, size_t bucket, uint64_t value, int byte)
{
        quoit_trace trace = make(byte);

        exemplars_note(slot, bucket, value, &trace);
}

static void assert_is(const quoit_exemplar *exemplar, double value, int byte)
{
        quoit_trace trace = make(byte);

        assert_memory_equal(exemplar->trace_id, trace.trace_id, sizeof(trace.trace_id));
        assert_memory_equal(exemplar->span_id, trace.span_id, sizeof(trace.span_id));
        assert_true(exemplar->value == value);
}

static void test_the_last_one_of_each_bucket(void **state)
{
        struct exemplars *_Atomic slot = NULL;
        quoit_exemplar shown[HISTOGRAM_COUNTS_MAX];

        (void)state;
        note(&slot, 3, 2 * NS_PER_S, 1);
        note(&slot, 3, 4 * NS_PER_S, 2);
        note(&slot, histogram_durations.bound_count, 8 * NS_PER_S, 3);
        assert_true(exemplars_show(slot, &histogram_durations, shown));
        assert_is(&shown[3], 4, 2);
        assert_is(&shown[histogram_durations.bound_count], 8, 3);
        assert_is(&shown[0], 0, 0);
        assert_true(shown[3].unix_s > 1.7e9);
        free(slot);
}

static void test_none(void **state)
{
        struct exemplars none = { 0 };
        quoit_exemplar shown[HISTOGRAM_COUNTS_MAX];

        (void)state;
        assert_false(exemplars_show(&none, &histogram_durations, shown));
}

/* Whichever ring is read last. */
static void test_the_newest_of_all_rings(void **state)
{
        struct exemplars *_Atomic older = NULL, *_Atomic newer = NULL;
        quoit_exemplar shown[HISTOGRAM_COUNTS_MAX];

        (void)state;
        note(&older, 3, NS_PER_S, 1);
        note(&older, 4, NS_PER_S, 2);
        note(&newer, 3, 2 * NS_PER_S, 3);
        for (unsigned order = 0; order < 2; order++) {
                struct exemplars sum = { 0 };

                exemplars_merge(&sum, order == 0 ? older : newer);
                exemplars_merge(&sum, order == 0 ? newer : older);
                assert_true(exemplars_show(&sum, &histogram_durations, shown));
                assert_is(&shown[3], 2, 3);
                assert_is(&shown[4], 1, 2);
        }
        free(older);
        free(newer);
}

static struct exemplars *_Atomic shared;

static void *write_many(void *unused)
{
        for (unsigned i = 1; i <= MANY; i++)
                note(&shared, 0, i % 256 * NS_PER_S, (int)(i % 256));
        return unused;
}

/* What a reader sees is of one call, never half of one and half of the next. */
static void test_a_writer_at_the_same_time(void **state)
{
        quoit_exemplar shown[HISTOGRAM_COUNTS_MAX];
        pthread_t thread;
        bool is_over;

        (void)state;
        note(&shared, 0, NS_PER_S, 1);
        assert_int_equal(pthread_create(&thread, NULL, write_many, NULL), 0);
        do {
                is_over = pthread_tryjoin_np(thread, NULL) == 0;
                if (exemplars_show(shared, &histogram_durations, shown))
                        assert_is(&shown[0], shown[0].value, (int)shown[0].value);
        } while (!is_over);
        assert_is(&shown[0], MANY % 256, MANY % 256);
        free(shared);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_the_last_one_of_each_bucket),
                cmocka_unit_test(test_none),
                cmocka_unit_test(test_the_newest_of_all_rings),
                cmocka_unit_test(test_a_writer_at_the_same_time),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
