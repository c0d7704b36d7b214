/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <nghttp2/nghttp2.h>

#include "bench/micro/floor_session.h"

/* A real client against the session, in pieces of any size. */

struct client {
        nghttp2_session *h2;
        unsigned answered;
        unsigned fields; /* good ones, of the answer at hand */
        size_t data;
};

static const char message[] = "\0\0\0\0\016\n\014Hello World!";
#define MESSAGE_BYTES (sizeof(message) - 1)

static int on_header(nghttp2_session *h2, const nghttp2_frame *frame, const uint8_t *name,
        size_t name_size, const uint8_t *value, size_t size, uint8_t flags, void *user)
{
        static const char *const expected[][2] = { { ":status", "200" },
                { "content-type", "application/grpc" }, { "grpc-status", "0" } };
        struct client *client = user;
        const char *const *field = expected[client->fields++];

        (void)h2;
        (void)frame;
        (void)flags;
        assert_int_equal(name_size, strlen(field[0]));
        assert_memory_equal(name, field[0], name_size);
        assert_int_equal(size, strlen(field[1]));
        assert_memory_equal(value, field[1], size);
        return 0;
}

static int on_data(nghttp2_session *h2, uint8_t flags, int32_t id, const uint8_t *data, size_t size,
        void *user)
{
        struct client *client = user;

        (void)h2;
        (void)flags;
        (void)id;
        assert_true(client->data + size <= MESSAGE_BYTES);
        assert_memory_equal(data, message + client->data, size);
        client->data += size;
        return 0;
}

static int on_close(nghttp2_session *h2, int32_t id, uint32_t error_code, void *user)
{
        struct client *client = user;

        (void)h2;
        (void)id;
        assert_int_equal(error_code, 0);
        assert_int_equal(client->fields, 3);
        assert_int_equal(client->data, MESSAGE_BYTES);
        client->fields = 0;
        client->data = 0;
        client->answered++;
        return 0;
}

static void client_init(struct client *client)
{
        nghttp2_session_callbacks *callbacks;

        *client = (struct client){ 0 };
        assert_int_equal(nghttp2_session_callbacks_new(&callbacks), 0);
        nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
        nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
        assert_int_equal(nghttp2_session_client_new(&client->h2, callbacks, client), 0);
        nghttp2_session_callbacks_del(callbacks);
        assert_int_equal(nghttp2_submit_settings(client->h2, NGHTTP2_FLAG_NONE, NULL, 0), 0);
}

static nghttp2_ssize on_read(nghttp2_session *h2, int32_t id, uint8_t *buffer, size_t size_max,
        uint32_t *flags, nghttp2_data_source *source, void *user)
{
        size_t *left = source->ptr;
        size_t size = *left < size_max ? *left : size_max;

        (void)h2;
        (void)id;
        (void)user;
        memset(buffer, 'x', size);
        *left -= size;
        if (*left == 0)
                *flags |= NGHTTP2_DATA_FLAG_EOF;
        return (nghttp2_ssize)size;
}

static void request(struct client *client, size_t *body_bytes)
{
        static const nghttp2_nv fields[] = {
                { (uint8_t *)":method", (uint8_t *)"POST", 7, 4, 0 },
                { (uint8_t *)":scheme", (uint8_t *)"http", 7, 4, 0 },
                { (uint8_t *)":path", (uint8_t *)"/a.B/c", 5, 6, 0 },
        };
        const nghttp2_data_provider2 provider = { .source.ptr = body_bytes,
                .read_callback = on_read };

        assert_true(nghttp2_submit_request2(
                            client->h2, NULL, fields, 3, body_bytes ? &provider : NULL, NULL) > 0);
}

/* Until the client has nothing to say: its bytes arrive @piece at a time. */
static void exchange(struct client *client, struct floor_session *session,
        struct floor_output *output, size_t piece)
{
        const uint8_t *data;
        nghttp2_ssize size;

        do {
                while ((size = nghttp2_session_mem_send2(client->h2, &data)) > 0) {
                        for (size_t at = 0; at < (size_t)size; at += piece) {
                                size_t left = (size_t)size - at;

                                assert_true(floor_session_feed(
                                        session, data + at, left < piece ? left : piece, output));
                        }
                }
                assert_int_equal(size, 0);
                assert_int_equal(nghttp2_session_mem_recv2(client->h2, output->bytes, output->size),
                        output->size);
                output->size = 0;
        } while (nghttp2_session_want_write(client->h2));
}

static void test_answers(void **state)
{
        static const size_t pieces[] = { 1, 2, 7, 8, 9, 10, 100, 100000 };

        (void)state;
        for (size_t i = 0; i < sizeof(pieces) / sizeof(*pieces); i++) {
                struct floor_session session = { 0 };
                struct floor_output output = { 0 };
                size_t bodies[] = { 12, 70000, 1 };
                struct client client;

                client_init(&client);
                floor_session_open(&output);
                request(&client, NULL);
                request(&client, bodies);
                request(&client, bodies + 1);
                exchange(&client, &session, &output, pieces[i]);
                assert_int_equal(client.answered, 3);
                request(&client, bodies + 2);
                exchange(&client, &session, &output, pieces[i]);
                assert_int_equal(client.answered, 4);
                nghttp2_session_del(client.h2);
                floor_output_deinit(&output);
        }
}

/* A gigabyte of request bodies on, the client may still send. */
static void test_window(void **state)
{
        static const uint8_t preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
        static const uint8_t data_header[9] = { 0, 0x40, 0, 0, 0, 0, 0, 0, 1 };
        static const uint8_t body[16384];
        struct floor_session session = { 0 };
        struct floor_output output = { 0 };
        uint64_t sent = 0;

        (void)state;
        assert_true(floor_session_feed(&session, preface, sizeof(preface) - 1, &output));
        assert_int_equal(output.size, 0);
        while (output.size == 0) {
                assert_true(sent < (uint64_t)INT32_MAX);
                assert_true(floor_session_feed(&session, data_header, 9, &output));
                assert_true(floor_session_feed(&session, body, sizeof(body), &output));
                sent += sizeof(body);
        }
        /* WINDOW_UPDATE of the connection by what came */
        assert_int_equal(output.size, 13);
        assert_int_equal(output.bytes[3], NGHTTP2_WINDOW_UPDATE);
        assert_int_equal((uint64_t)output.bytes[9] << 24 | output.bytes[10] << 16 |
                                 output.bytes[11] << 8 | output.bytes[12],
                sent);
        floor_output_deinit(&output);
}

static void test_no_http2(void **state)
{
        struct floor_session session = { 0 };
        struct floor_output output = { 0 };

        (void)state;
        assert_false(floor_session_feed(&session, (const uint8_t *)"GET / HTTP/1.1", 14, &output));
        assert_int_equal(output.size, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_answers),
                cmocka_unit_test(test_window),
                cmocka_unit_test(test_no_http2),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
