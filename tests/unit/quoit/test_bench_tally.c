/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "apps/quoit/bench/tally.h"

#define SECOND UINT64_C(1000000000)
#define MS UINT64_C(1000000)

static struct tally tally;

static int setup(void **state)
{
        (void)state;
        if (tally_init(&tally) < 0)
                return -1;
        tally.begin_ns = 100 * SECOND;
        return 0;
}

static int teardown(void **state)
{
        (void)state;
        tally_deinit(&tally);
        return 0;
}

/* A call that is due at @due_ms after the begin, and takes @latency_ms. */
static struct tally_call call_of(uint64_t due_ms, uint64_t latency_ms, quoit_status status)
{
        return (struct tally_call){
                .due_ns = tally.begin_ns + due_ms * MS,
                .end_ns = tally.begin_ns + (due_ms + latency_ms) * MS,
                .status = status,
        };
}

static void record(uint64_t due_ms, uint64_t latency_ms, quoit_status status)
{
        struct tally_call call = call_of(due_ms, latency_ms, status);

        tally_record(&tally, &call);
}

static void test_statuses(void **state)
{
        struct tally_call call = call_of(0, 1, QUOIT_NOT_FOUND);

        (void)state;
        record(0, 10, QUOIT_OK);
        call.message = "the first";
        tally_record(&tally, &call);
        call.message = "the second";
        tally_record(&tally, &call);
        record(0, 1, (quoit_status)99);
        assert_int_equal(tally.calls, 4);
        assert_int_equal(tally.failed, 3);
        assert_int_equal(tally.statuses[QUOIT_OK], 1);
        assert_int_equal(tally.statuses[QUOIT_NOT_FOUND], 2);
        assert_int_equal(tally.statuses[QUOIT_UNKNOWN], 1);
        assert_string_equal(tally.messages[QUOIT_NOT_FOUND], "the first");
        /* how fast calls fail says nothing of those that succeed */
        assert_int_equal(hdr_count(&tally.latency), 1);
        assert_int_equal(hdr_count(&tally.failed_latency), 3);
}

/* Without these a server that answers nothing would look fast. */
static void test_calls_without_an_answer_count(void **state)
{
        struct tally_call call = call_of(0, 3000, QUOIT_CANCELLED);

        (void)state;
        record(0, 1, QUOIT_OK);
        record(0, 2000, QUOIT_DEADLINE_EXCEEDED);
        call.is_given_up = true;
        tally_record(&tally, &call);
        assert_int_equal(hdr_count(&tally.latency), 3);
        assert_int_equal(hdr_max(&tally.latency), 3 * SECOND);
        assert_int_equal(tally.unfinished, 1);
        assert_int_equal(tally.failed, 2);
}

static void test_the_timeline(void **state)
{
        (void)state;
        record(0, 50, QUOIT_OK); /* in the slot in which it ends */
        record(50, 60, QUOIT_OK);
        record(120, 1, QUOIT_UNAVAILABLE);
        assert_int_equal(timeline_used(&tally.timeline), 2);
        assert_int_equal(tally.timeline.slots[0].ok, 1);
        assert_int_equal(tally.timeline.slots[1].ok, 1);
        assert_int_equal(tally.timeline.slots[1].failed, 1);
        assert_int_equal(hdr_count(&tally.timeline.slots[1].latency), 1);
}

/* Whatever the time, there are no more slots, and none is lost. */
static void test_a_long_run(void **state)
{
        uint64_t ok = 0;

        (void)state;
        for (uint64_t second = 0; second < 1000; second++)
                record(second * 1000, 1, QUOIT_OK);
        assert_int_equal(tally.timeline.slot_ns, 64 * TIMELINE_SLOT_NS); /* 25.6 min in 240 slots */
        for (size_t i = 0; i < TIMELINE_SLOTS; i++) {
                const struct slot *slot = &tally.timeline.slots[i];

                ok += slot->ok;
                assert_int_equal(hdr_count(&slot->latency), slot->ok);
                if (i < timeline_used(&tally.timeline) - 1)
                        assert_in_range(slot->ok, 6, 7);
        }
        assert_int_equal(ok, 1000);
}

static void test_add(void **state)
{
        struct tally other;
        struct tally_call call = call_of(1000 * 1000, 5, QUOIT_OK);

        (void)state;
        assert_int_equal(tally_init(&other), 0);
        other.begin_ns = tally.begin_ns;
        tally_count_request(&other, 100);
        tally_count_reply(&other, 7);
        tally_record(&other, &call);
        record(0, 1, QUOIT_OK);
        record(0, 1, QUOIT_INTERNAL);
        tally_add(&tally, &other);
        assert_int_equal(tally.calls, 3);
        assert_int_equal(tally.failed, 1);
        assert_int_equal(tally.requests, 1);
        assert_int_equal(tally.request_bytes, 100);
        assert_int_equal(tally.replies, 1);
        assert_int_equal(tally.reply_bytes, 7);
        assert_int_equal(tally.end_ns, call.end_ns);
        assert_int_equal(hdr_count(&tally.latency), 2);
        /* one had long slots, the other short ones */
        assert_int_equal(tally.timeline.slots[0].ok, 1);
        assert_int_equal(timeline_at(&tally.timeline, 1000 * SECOND)->ok, 1);
        tally_deinit(&other);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
        const struct CMUnitTest tests[] = {
                TEST(test_statuses),
                TEST(test_calls_without_an_answer_count),
                TEST(test_the_timeline),
                TEST(test_a_long_run),
                TEST(test_add),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
