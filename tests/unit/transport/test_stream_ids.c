/* SPDX-License-Identifier: MIT */
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "harness.h"

#define STREAMS 300
#define SEED 0x853c49e6748fea9b /* the client does not know it */

/* Where nghttp2's map had an id, as a share of its size: a constant was all that it was multiplied by. */
static uint64_t old_place(uint32_t id)
{
        return id * 0xf1357aea2e62a9c5 * 0x9e3779b97f4a7c15;
}

/* Ids as a client may choose them, odd and growing, that shared a slot in maps of up to 2^18. */
static void choose_ids(int32_t *ids)
{
        uint32_t id = 1;

        for (size_t i = 0; i < STREAMS; id += 2)
                if (old_place(id) >> 46 == 0)
                        ids[i++] = (int32_t)id;
        assert_true(id < INT32_MAX);
}

static struct stream streams[STREAMS];
static size_t n_streams;

static struct stream *on_stream(void *user)
{
        struct stream *stream = &streams[n_streams++];

        (void)user;
        *stream = (struct stream){ 0 };
        list_init(&stream->link);
        return stream;
}

static void on_field(struct stream *stream, const struct session_field *field)
{
        (void)stream;
        (void)field;
}

static void on_headers(struct stream *stream, bool oversize)
{
        (void)stream;
        assert_false(oversize);
}

static void on_close(struct stream *stream, uint32_t error_code)
{
        (void)stream;
        (void)error_code;
}

static size_t bytes_allocated(void)
{
        struct mallinfo2 info = mallinfo2();

        return info.uordblks + info.hblkhd;
}

/* What a session with all of @ids open takes. */
static size_t session_bytes(const int32_t *ids)
{
        static const struct session_events events = { .on_stream = on_stream,
                .on_field = on_field,
                .on_headers = on_headers,
                .on_close = on_close };
        static const uint8_t preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0";
        quoit_limits limits = joint_limits;
        size_t before = bytes_allocated(), taken;
        struct session session;
        struct memory memory;

        limits.streams_max = STREAMS;
        n_streams = 0;
        memory_init(&memory);
        assert_int_equal(
                session_init_server(&session, &memory.h2, &limits, SEED, &events, NULL), 0);
        assert_int_equal(session_feed(&session, preface, sizeof(preface)), 0);
        for (size_t i = 0; i < STREAMS; i++) {
                uint8_t bytes[1000];
                size_t size = hpack_request(bytes + 9, "/a.B/c");

                frame_head(
                        bytes, (uint32_t)size, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, ids[i]);
                assert_int_equal(session_feed(&session, bytes, 9 + size), 0);
        }
        assert_int_equal(n_streams, STREAMS);
        taken = bytes_allocated() - before;
        session_deinit(&session);
        memory_deinit(&memory);
        return taken;
}

/* A client chooses its streams' ids. Whichever they are, they cost the same. */
static void test_chosen_ids(void **state)
{
        int32_t honest[STREAMS], chosen[STREAMS];
        size_t honest_bytes, chosen_bytes;

        (void)state;
        for (size_t i = 0; i < STREAMS; i++)
                honest[i] = (int32_t)(2 * i + 1);
        choose_ids(chosen);
        honest_bytes = session_bytes(honest);
        chosen_bytes = session_bytes(chosen);
        if (honest_bytes > 0 && chosen_bytes > 2 * honest_bytes)
                fail_msg("%zu bytes, %zu for honest ids", chosen_bytes, honest_bytes);
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_chosen_ids) };

        return cmocka_run_group_tests_name("transport/stream_ids", tests, NULL, NULL);
}
