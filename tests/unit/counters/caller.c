/* SPDX-License-Identifier: MIT */
#include "caller.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <linux/tcp.h>

#define IN_BYTES ((size_t)1 << 18)
#define WINDOW_BYTES INT32_MAX

/* One call: its stream's user data. */
struct exchange {
        size_t sent;
        size_t received;
        bool ok; /* grpc-status 0 */
};

/* ---- nghttp2's callbacks ---- */

static nghttp2_ssize on_read(nghttp2_session *h2, int32_t id, uint8_t *buffer, size_t size_max,
        uint32_t *flags, nghttp2_data_source *source, void *user)
{
        struct caller *caller = user;
        struct exchange *exchange = source->ptr;
        size_t left = caller->request_size - exchange->sent;
        size_t size = left < size_max ? left : size_max;

        (void)h2;
        (void)id;
        if (size == left)
                *flags |= NGHTTP2_DATA_FLAG_EOF;
        memcpy(buffer, caller->request + exchange->sent, size);
        exchange->sent += size;
        return (nghttp2_ssize)size;
}

static int on_header(nghttp2_session *h2, const nghttp2_frame *frame, const uint8_t *name,
        size_t name_size, const uint8_t *value, size_t size, uint8_t flags, void *user)
{
        struct exchange *exchange = nghttp2_session_get_stream_user_data(h2, frame->hd.stream_id);

        (void)flags;
        (void)user;
        assert_non_null(exchange);
        if (name_size == strlen("grpc-status") && memcmp(name, "grpc-status", name_size) == 0)
                exchange->ok = size == 1 && value[0] == '0';
        return 0;
}

static int on_data(nghttp2_session *h2, uint8_t flags, int32_t id, const uint8_t *data, size_t size,
        void *user)
{
        struct caller *caller = user;
        struct exchange *exchange = nghttp2_session_get_stream_user_data(h2, id);

        (void)flags;
        assert_true(size <= caller->reply_size - exchange->received);
        assert_memory_equal(data, caller->reply + exchange->received, size);
        exchange->received += size;
        return 0;
}

static int on_close(nghttp2_session *h2, int32_t id, uint32_t error_code, void *user)
{
        struct caller *caller = user;
        struct exchange *exchange = nghttp2_session_get_stream_user_data(h2, id);

        assert_int_equal(error_code, NGHTTP2_NO_ERROR);
        assert_true(exchange->ok);
        assert_int_equal(exchange->received, caller->reply_size);
        caller->open--;
        free(exchange);
        return 0;
}

/* ---- the socket ---- */

static int connect_to(uint16_t port)
{
        struct sockaddr_in address = {
                .sin_family = AF_INET,
                .sin_port = htons(port),
                .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
        };
        struct timeval limit = { .tv_sec = 30 };
        int one = 1;
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        assert_true(fd >= 0);
        assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
        assert_int_equal(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)), 0);
        assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), 0);
        return fd;
}

static void append(struct caller *caller, const uint8_t *data, size_t size)
{
        while (caller->out_size + size > caller->out_room) {
                caller->out_room = caller->out_room ? 2 * caller->out_room : 1 << 16;
                caller->out = realloc(caller->out, caller->out_room);
                assert_non_null(caller->out);
        }
        memcpy(caller->out + caller->out_size, data, size);
        caller->out_size += size;
}

/* All that there is to say, in one write: the server sees the calls of a batch together. */
static void flush(struct caller *caller)
{
        const uint8_t *data;
        nghttp2_ssize size;

        while ((size = nghttp2_session_mem_send2(caller->h2, &data)) > 0)
                append(caller, data, (size_t)size);
        assert_int_equal(size, 0);
        for (size_t sent = 0; sent < caller->out_size;) {
                ssize_t r = send(caller->fd, caller->out + sent, caller->out_size - sent, 0);

                assert_true(r > 0);
                sent += (size_t)r;
        }
        caller->out_size = 0;
}

static void receive(struct caller *caller)
{
        ssize_t size;

        /* No signal comes, but the kernel ends a ring that this thread had by interrupting it: that
         * on which the server tried io_uring. */
        do {
                size = recv(caller->fd, caller->in, IN_BYTES, 0);
        } while (size < 0 && errno == EINTR);
        assert_true(size > 0);
        assert_int_equal(nghttp2_session_mem_recv2(caller->h2, caller->in, (size_t)size), size);
}

uint64_t caller_segments(const struct caller *caller)
{
        struct tcp_info info = { 0 };
        socklen_t size = sizeof(info);

        assert_int_equal(getsockopt(caller->fd, IPPROTO_TCP, TCP_INFO, &info, &size), 0);
        assert_true(size >=
                    offsetof(struct tcp_info, tcpi_data_segs_in) + sizeof(info.tcpi_data_segs_in));
        return info.tcpi_data_segs_in;
}

/* ---- calls ---- */

void caller_set(struct caller *caller, const char *path, const uint8_t *request,
        size_t request_size, const uint8_t *reply, size_t reply_size)
{
        caller->path = path;
        caller->request = request;
        caller->request_size = request_size;
        caller->reply = reply;
        caller->reply_size = reply_size;
}

#define FIELD(name, value)                                                                         \
        { (uint8_t *)name, (uint8_t *)value, sizeof(name) - 1, sizeof(value) - 1, 0 }

static nghttp2_nv text_field(const char *name, const char *text)
{
        return (nghttp2_nv){ .name = (uint8_t *)name,
                .namelen = strlen(name),
                .value = (uint8_t *)text,
                .valuelen = text ? strlen(text) : 0 };
}

static void submit(struct caller *caller)
{
        struct exchange *exchange = calloc(1, sizeof(*exchange));
        nghttp2_data_provider2 provider = { .source.ptr = exchange, .read_callback = on_read };
        nghttp2_nv fields[] = {
                FIELD(":method", "POST"),
                FIELD(":scheme", "http"),
                text_field(":path", caller->path),
                FIELD(":authority", "localhost"),
                FIELD("te", "trailers"),
                FIELD("content-type", "application/grpc"),
                text_field("grpc-encoding", caller->encoding),
                text_field("grpc-accept-encoding", caller->encoding),
        };
        size_t count = sizeof(fields) / sizeof(fields[0]) - (caller->encoding ? 0 : 2);

        assert_non_null(exchange);
        assert_true(
                nghttp2_submit_request2(caller->h2, NULL, fields, count, &provider, exchange) > 0);
        caller->open++;
}

void caller_call(struct caller *caller, unsigned count, unsigned depth)
{
        while (count > 0) {
                if (caller->pause_us > 0)
                        usleep(caller->pause_us);
                for (unsigned i = 0; i < depth && count > 0; i++, count--)
                        submit(caller);
                while (caller->open > 0) {
                        flush(caller);
                        receive(caller);
                }
        }
        flush(caller);
}

/* ---- life ---- */

void caller_init(struct caller *caller, uint16_t port)
{
        nghttp2_settings_entry window = { NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, WINDOW_BYTES };
        nghttp2_session_callbacks *callbacks;

        *caller = (struct caller){ .fd = connect_to(port), .in = malloc(IN_BYTES) };
        assert_non_null(caller->in);
        assert_int_equal(nghttp2_session_callbacks_new(&callbacks), 0);
        nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
        nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
        assert_int_equal(nghttp2_session_client_new(&caller->h2, callbacks, caller), 0);
        nghttp2_session_callbacks_del(callbacks);
        assert_int_equal(nghttp2_submit_settings(caller->h2, NGHTTP2_FLAG_NONE, &window, 1), 0);
        assert_int_equal(nghttp2_session_set_local_window_size(
                                 caller->h2, NGHTTP2_FLAG_NONE, 0, WINDOW_BYTES),
                0);
}

void caller_deinit(struct caller *caller)
{
        nghttp2_session_del(caller->h2);
        close(caller->fd);
        free(caller->out);
        free(caller->in);
}
