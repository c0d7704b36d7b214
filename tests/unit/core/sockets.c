/* SPDX-License-Identifier: MIT */
#include "sockets.h"

#include <arpa/inet.h>
#include <netinet/in.h>

static void on_data(struct socket *socket, const unsigned char *bytes, size_t size)
{
        struct end *end = CONTAINER_OF(socket, struct end, socket);

        assert_int_equal(end->closed_calls + end->end_calls, 0);
        assert_true(socket_is_open(socket));
        assert_true(size > 0 && end->received_size + size <= end->received_max);
        memcpy(end->received + end->received_size, bytes, size);
        end->received_size += size;
        end->data_calls++;
        if (end->react)
                end->react(end);
}

static void on_receive_end(struct socket *socket, int error)
{
        struct end *end = CONTAINER_OF(socket, struct end, socket);

        assert_int_equal(end->closed_calls, 0);
        assert_true(socket_is_open(socket));
        end->end_calls++;
        end->end_error = error;
}

static void on_sent(struct socket *socket, int error)
{
        struct end *end = CONTAINER_OF(socket, struct end, socket);

        assert_int_equal(end->closed_calls, 0);
        assert_false(socket_is_sending(socket));
        end->sent_calls++;
        end->sent_error = error;
}

static void on_closed(struct socket *socket)
{
        struct end *end = CONTAINER_OF(socket, struct end, socket);

        assert_false(socket_is_sending(socket));
        assert_int_equal(socket->in_flight, 0);
        end->closed_calls++;
}

static const struct socket_handler handler = {
        .on_data = on_data,
        .on_receive_end = on_receive_end,
        .on_sent = on_sent,
        .on_closed = on_closed,
};

struct end *end_new(struct ring *ring, struct buffers *buffers, int fd, size_t received_max)
{
        struct end *end = calloc(1, sizeof(*end));

        assert_non_null(end);
        end->received = malloc(received_max);
        end->received_max = received_max;
        socket_init(&end->socket, ring, buffers, fd, &handler);
        socket_resume(&end->socket);
        return end;
}

void end_free(struct end *end)
{
        socket_close(&end->socket);
        TURN_UNTIL(end->socket.ring, end->closed_calls > 0);
        assert_int_equal(end->closed_calls, 1);
        free(end->received);
        free(end);
}

void pair_unix(int fds[2])
{
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
}

void pair_tcp(int fds[2])
{
        struct sockaddr_in address = { .sin_family = AF_INET,
                .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        socklen_t size = sizeof(address);
        int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
        assert_int_equal(listen(listener, 1), 0);
        assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
        fds[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(connect(fds[0], (struct sockaddr *)&address, size), 0);
        fds[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        assert_true(fds[1] >= 0);
        close(listener);
}

unsigned char *noise(size_t size)
{
        unsigned char *bytes = malloc(size);
        uint32_t value = 1;

        assert_non_null(bytes);
        for (size_t i = 0; i < size; i++) {
                value = value * 1664525 + 1013904223;
                bytes[i] = (unsigned char)(value >> 24);
        }
        return bytes;
}
