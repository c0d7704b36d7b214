/* SPDX-License-Identifier: MIT */

/*
 * What a call costs in steady state, counted rather than timed: on a real server, over a real
 * socket. A figure here is a promise; when one grows, find out why before it is changed.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <quoit/client_metrics.h>

#include "caller.h"
#include "codec/coders.h"
#include "codec/compression.h"
#include "codec/framing.h"
#include "counters.quoit.h"
#include "counts.h"
#include "enters.h"
#include "outcalls.h"
#include "service.h"

#define WARM_UP_CALLS 3000
#define CALLS 1000
#define LARGE_CALLS 20
#define LIST_ITEMS 100
#define COPIES_MAX 1.05 /* of a large message; the rest is headers, frames and first pieces */

struct fixture {
        struct service service;
        struct caller caller;
        upb_Arena *arena; /* of the messages */
};

/* What some calls cost the server. */
struct cost {
        double allocations, enters, segments, copied_bytes; /* a call */
};

/* ---- set up ---- */

static void start(struct fixture *fixture, bool traces_enters)
{
        service_start(&fixture->service, traces_enters);
        caller_init(&fixture->caller, fixture->service.port);
        fixture->arena = upb_Arena_New();
}

static void stop(struct fixture *fixture)
{
        caller_deinit(&fixture->caller);
        service_stop(&fixture->service);
        upb_Arena_Free(fixture->arena);
}

static int set_up(void **state)
{
        struct fixture *fixture = malloc(sizeof(*fixture));

        start(fixture, false);
        *state = fixture;
        return 0;
}

static int tear_down(void **state)
{
        stop(*state);
        free(*state);
        return 0;
}

/* ---- what is called ---- */

/* @bytes with a message's prefix before them. */
static uint8_t *framed(struct fixture *fixture, const char *bytes, size_t size)
{
        uint8_t *message = upb_Arena_Malloc(fixture->arena, FRAMING_PREFIX_BYTES + size);

        assert_non_null(bytes);
        framing_write_prefix(message, false, (uint32_t)size);
        memcpy(message + FRAMING_PREFIX_BYTES, bytes, size);
        return message;
}

static void set_messages(struct fixture *fixture, const char *path, const char *request,
        size_t request_size, const char *reply, size_t reply_size)
{
        caller_set(&fixture->caller, path, framed(fixture, request, request_size),
                FRAMING_PREFIX_BYTES + request_size, framed(fixture, reply, reply_size),
                FRAMING_PREFIX_BYTES + reply_size);
}

static void set_greet(struct fixture *fixture)
{
        counters_Text *text = counters_Text_new(fixture->arena);
        size_t request_size, reply_size;
        char *request, *reply;

        counters_Text_set_text(text, upb_StringView_FromString("World"));
        request = counters_Text_serialize(text, fixture->arena, &request_size);
        counters_Text_set_text(text, upb_StringView_FromString("Hello, World!"));
        reply = counters_Text_serialize(text, fixture->arena, &reply_size);
        set_messages(fixture, "/counters.Counters/greet", request, request_size, reply, reply_size);
}

static char *number_bytes(struct fixture *fixture, int32_t value, size_t *ret_size)
{
        counters_Number *number = counters_Number_new(fixture->arena);

        counters_Number_set_number(number, value);
        return counters_Number_serialize(number, fixture->arena, ret_size);
}

static void set_list(struct fixture *fixture)
{
        counters_List *list = counters_List_new(fixture->arena);
        size_t request_size, reply_size;
        char *request = number_bytes(fixture, LIST_ITEMS, &request_size);
        char *reply;

        for (int32_t id = 1; id <= LIST_ITEMS; id++) {
                counters_Item *item = counters_List_add_items(list, fixture->arena);

                counters_Item_set_id(item, id);
                counters_Item_set_name(item, upb_StringView_FromString("an item's name"));
        }
        reply = counters_List_serialize(list, fixture->arena, &reply_size);
        set_messages(fixture, "/counters.Counters/list", request, request_size, reply, reply_size);
}

static char *blob_bytes(struct fixture *fixture, size_t *ret_size)
{
        counters_Blob *blob = counters_Blob_new(fixture->arena);
        char *bytes = upb_Arena_Malloc(fixture->arena, SERVICE_BLOB_BYTES);

        memset(bytes, 0, SERVICE_BLOB_BYTES);
        counters_Blob_set_bytes(blob, upb_StringView_FromDataAndSize(bytes, SERVICE_BLOB_BYTES));
        return counters_Blob_serialize(blob, fixture->arena, ret_size);
}

static void set_take(struct fixture *fixture)
{
        size_t request_size, reply_size;
        char *request = blob_bytes(fixture, &request_size);
        char *reply = number_bytes(fixture, SERVICE_BLOB_BYTES, &reply_size);

        set_messages(fixture, "/counters.Counters/take", request, request_size, reply, reply_size);
}

static void set_give(struct fixture *fixture)
{
        size_t request_size, reply_size;
        char *request = number_bytes(fixture, SERVICE_BLOB_BYTES, &request_size);
        char *reply = blob_bytes(fixture, &reply_size);

        set_messages(fixture, "/counters.Counters/give", request, request_size, reply, reply_size);
}

static void set_pass(struct fixture *fixture)
{
        size_t size;
        char *bytes = blob_bytes(fixture, &size);

        set_messages(fixture, "/counters.Counters/pass", bytes, size, bytes, size);
}

/* ---- counting ---- */

/* A library's allocation, and copies whose size the compiler does not know. */
static void *allocate_and_copy(void *user)
{
        const size_t *size = user;
        static char bytes[2000];
        nghttp2_option *option = NULL;

        counts_watch_this_thread();
        if (nghttp2_option_new(&option) == 0)
                nghttp2_option_del(option);
        memcpy(bytes + 1000, bytes, *size);
        memmove(bytes + 1, bytes, *size);
        return NULL;
}

/* Without this, nothing counted would look like nothing done. */
static void test_counts(void **state)
{
        size_t size = 1000;
        struct counts before = counts_now();
        struct counts after;
        pthread_t thread;

        (void)state;
        assert_int_equal(pthread_create(&thread, NULL, allocate_and_copy, &size), 0);
        assert_int_equal(pthread_join(thread, NULL), 0);
        after = counts_now();
        assert_int_equal(after.allocations - before.allocations, 1);
        assert_int_equal(after.copied_bytes - before.copied_bytes, 2 * size);
}

static struct cost cost_of(
        struct fixture *fixture, const char *what, unsigned calls, unsigned depth)
{
        uint64_t enters = service_enters(&fixture->service);
        struct counts before = counts_now();
        uint64_t segments = caller_segments(&fixture->caller);
        struct counts after;
        struct cost cost;

        caller_call(&fixture->caller, calls, depth);
        cost.enters = (double)(service_enters(&fixture->service) - enters) / calls;
        after = counts_now();
        cost.allocations = (double)(after.allocations - before.allocations) / calls;
        cost.copied_bytes = (double)(after.copied_bytes - before.copied_bytes) / calls;
        cost.segments = (double)(caller_segments(&fixture->caller) - segments) / calls;
        print_message("%-22s a call: %.3f mallocs, %.3f enters, %.3f segments, %.0f bytes copied\n",
                what, cost.allocations, cost.enters, cost.segments, cost.copied_bytes);
        return cost;
}

static void test_small_calls(void **state)
{
        static const struct {
                const char *what;
                unsigned depth, pause_us;
                double enters_max;
        } cases[] = {
                /* of 1000 calls; on a busy machine they take long enough for a timer or two */
                { "greet, 1 at a time", 1, 0, 1.005 },
                { "greet, now and then", 1, 200, 1.005 },
                { "greet, 10 at a time", 10, 0, 0.2 },
                { "greet, 100 at a time", 100, 0, 0.02 },
        };
        struct fixture *fixture = *state;

        set_greet(fixture);
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct cost cost;

                fixture->caller.pause_us = cases[i].pause_us;
                caller_call(&fixture->caller, WARM_UP_CALLS, cases[i].depth);
                cost = cost_of(fixture, cases[i].what, CALLS, cases[i].depth);
                assert_true(cost.allocations == 0);
                assert_true(cost.enters <= cases[i].enters_max);
                if (cases[i].depth == 1)
                        assert_true(cost.segments == 1);
        }
}

static void test_list(void **state)
{
        struct fixture *fixture = *state;

        set_list(fixture);
        for (unsigned depth = 1; depth <= 100; depth *= 10) {
                caller_call(&fixture->caller, WARM_UP_CALLS, depth);
                assert_true(cost_of(fixture, "list", CALLS, depth).allocations == 0);
        }
}

/* The message that @framed holds, compressed. */
static uint8_t *compressed(
        struct fixture *fixture, quoit_compression algorithm, const uint8_t *framed, size_t *size)
{
        uint8_t *message = upb_Arena_Malloc(fixture->arena, *size + 1024);
        size_t room = *size + 1024 - FRAMING_PREFIX_BYTES;
        struct coders coders = { 0 };

        assert_int_equal(
                coders_compress(&coders, algorithm, framed + FRAMING_PREFIX_BYTES,
                        *size - FRAMING_PREFIX_BYTES, message + FRAMING_PREFIX_BYTES, &room),
                0);
        coders_deinit(&coders);
        framing_write_prefix(message, true, (uint32_t)room);
        *size = FRAMING_PREFIX_BYTES + room;
        return message;
}

/* A list, asked for in each algorithm, and answered in gzip to those who take it. */
static void test_compressed(void **state)
{
        static const quoit_compression algorithms[] = { QUOIT_GZIP, QUOIT_DEFLATE, QUOIT_ZSTD };
        struct fixture *fixture = *state;
        struct caller *caller = &fixture->caller;

        for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++) {
                set_list(fixture);
                caller->encoding = compression_name(algorithms[i]);
                caller->request =
                        compressed(fixture, algorithms[i], caller->request, &caller->request_size);
                if (algorithms[i] == QUOIT_GZIP)
                        caller->reply =
                                compressed(fixture, QUOIT_GZIP, caller->reply, &caller->reply_size);
                caller_call(caller, WARM_UP_CALLS, 10);
                assert_true(cost_of(fixture, caller->encoding, CALLS, 10).allocations == 0);
        }
}

static void test_large_request(void **state)
{
        struct fixture *fixture = *state;

        set_take(fixture);
        caller_call(&fixture->caller, LARGE_CALLS, 1);
        assert_true(cost_of(fixture, "take of 1 MiB", LARGE_CALLS, 1).copied_bytes <=
                    COPIES_MAX * SERVICE_BLOB_BYTES);
}

static void test_large_reply(void **state)
{
        struct fixture *fixture = *state;

        set_give(fixture);
        caller_call(&fixture->caller, LARGE_CALLS, 1);
        assert_true(cost_of(fixture, "give of 1 MiB", LARGE_CALLS, 1).copied_bytes <=
                    COPIES_MAX * SERVICE_BLOB_BYTES);
}

/* Copied once, as it comes: what lies in the call's arena is sent from there. */
static void test_large_reply_from_the_arena(void **state)
{
        struct fixture *fixture = *state;

        set_pass(fixture);
        caller_call(&fixture->caller, LARGE_CALLS, 1);
        assert_true(cost_of(fixture, "pass of 1 MiB", LARGE_CALLS, 1).copied_bytes <=
                    COPIES_MAX * SERVICE_BLOB_BYTES);
}

/* The ring's own count is what the kernel sees. */
static void test_enters(void **state)
{
        struct fixture fixture;
        uint64_t counted, seen;

        (void)state;
        start(&fixture, true);
        set_greet(&fixture);
        caller_call(&fixture.caller, 100, 10);
        counted = service_enters(&fixture.service);
        seen = enters_now();
        for (unsigned depth = 1; depth <= 100; depth *= 10)
                caller_call(&fixture.caller, CALLS, depth);
        counted = service_enters(&fixture.service) - counted;
        seen = enters_now() - seen;
        stop(&fixture);
        if (fixture.service.traced < 0) {
                print_message("no Syscall User Dispatch here: the ring's count is not checked\n");
                skip();
        }
        print_message("enters: the ring counted %ju, the kernel %ju\n", (uintmax_t)counted,
                (uintmax_t)seen);
        assert_true(seen > 0);
        assert_int_equal(counted, seen);
}

/* @metrics: NULL, or what counts the calls. */
static void assert_client_allocates_nothing(quoit_client_metrics *metrics)
{
        struct outcalls outcalls;
        struct service service;

        service_start(&service, false);
        outcalls_init(&outcalls, service.port, false);
        if (metrics)
                assert_int_equal(quoit_client_metrics_attach(metrics, outcalls.channel), 0);
        for (unsigned depth = 1; depth <= 100; depth *= 10) {
                uint64_t allocations;

                outcalls_call(&outcalls, WARM_UP_CALLS, depth);
                allocations = counts_now().allocations;
                outcalls_call(&outcalls, CALLS, depth);
                allocations = counts_now().allocations - allocations;
                print_message("client, depth %u: %ju allocations in %d calls at both ends\n", depth,
                        (uintmax_t)allocations, CALLS);
                assert_int_equal(allocations, 0);
        }
        outcalls_deinit(&outcalls);
        service_stop(&service);
}

/* The library's own client: neither end allocates, one call at a time or many. */
static void test_client(void **state)
{
        (void)state;
        assert_client_allocates_nothing(NULL);
}

/* Nor while its calls and attempts are counted. */
static void test_client_metrics(void **state)
{
        quoit_client_metrics *metrics;

        (void)state;
        assert_int_equal(quoit_client_metrics_new(&metrics), 0);
        assert_client_allocates_nothing(metrics);
        quoit_client_metrics_free(metrics);
}

/* A turn of the client's ring sends what there is and takes what has come: with one call at a time each of the two has a turn. */
static void test_client_enters(void **state)
{
        struct outcalls outcalls;
        struct service service;

        (void)state;
        service_start(&service, false);
        outcalls_init(&outcalls, service.port, true);
        for (unsigned depth = 1; outcalls.traced == 0 && depth <= 100; depth *= 10) {
                uint64_t enters;

                outcalls_call(&outcalls, WARM_UP_CALLS, depth);
                enters = enters_now();
                outcalls_call(&outcalls, CALLS, depth);
                enters = enters_now() - enters;
                print_message(
                        "client, depth %u: %.2f enters a call\n", depth, (double)enters / CALLS);
                assert_true(enters > 0);
                assert_true(enters <= 2 * CALLS / depth + CALLS / 10);
        }
        outcalls_deinit(&outcalls);
        service_stop(&service);
        if (outcalls.traced < 0)
                skip();
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_counts),
                cmocka_unit_test_setup_teardown(test_small_calls, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_list, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_compressed, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_large_request, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_large_reply, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_large_reply_from_the_arena, set_up, tear_down),
                cmocka_unit_test(test_client),
                cmocka_unit_test(test_client_metrics),
                cmocka_unit_test(test_client_enters),
                cmocka_unit_test(test_enters),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
