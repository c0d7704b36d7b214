/* SPDX-License-Identifier: MIT */

/* Keeps a number of messages under way on each of its connections, and counts those that came back. */

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/clock.h"
#include "bench/micro/echo.h"
#include "bench/micro/measure.h"

#define PIECE_BYTES ((size_t)256 * 1024) /* of one send or recv at most */
#define EVENTS 256
#define WARMUP_SHARE 0.1
#define PATIENCE_MS 5000

struct connection {
        int fd;
        uint64_t sent, received; /* bytes, ever */
        bool wants_out;
};

struct client {
        const struct echo_load *load;
        int epoll_fd;
        struct connection *connections;
        uint8_t *message; /* and as much of it again as a piece may take */
        uint8_t *received;
        uint64_t messages;
};

static double now_seconds(void)
{
        return (double)now_ns() / 1e9;
}

static void watch(struct client *client, struct connection *connection, int operation)
{
        struct epoll_event event = {
                .events = EPOLLIN | (connection->wants_out ? EPOLLOUT : 0u),
                .data.ptr = connection,
        };

        if (epoll_ctl(client->epoll_fd, operation, connection->fd, &event) < 0)
                echo_die("epoll_ctl", errno);
}

static void set_wants_out(struct client *client, struct connection *connection, bool wants_out)
{
        if (connection->wants_out == wants_out)
                return;
        connection->wants_out = wants_out;
        watch(client, connection, EPOLL_CTL_MOD);
}

/* As much as may be under way. */
static void send_more(struct client *client, struct connection *connection)
{
        uint64_t window = (uint64_t)client->load->depth * client->load->message_bytes;

        while (connection->sent < connection->received + window) {
                uint64_t room = connection->received + window - connection->sent;
                size_t offset = (size_t)(connection->sent % client->load->message_bytes);
                ssize_t size = send(connection->fd, client->message + offset,
                        room < PIECE_BYTES ? (size_t)room : PIECE_BYTES,
                        MSG_NOSIGNAL | MSG_DONTWAIT);

                if (size < 0 && errno == EAGAIN) {
                        set_wants_out(client, connection, true);
                        return;
                }
                if (size < 0)
                        echo_die("send", errno);
                connection->sent += (uint64_t)size;
        }
        set_wants_out(client, connection, false);
}

/* The first message of a connection has to come back as it was. */
static void check(const struct client *client, const struct connection *connection, size_t size)
{
        size_t message_bytes = client->load->message_bytes;

        if (connection->received >= message_bytes)
                return;
        if (size > message_bytes - connection->received)
                size = (size_t)(message_bytes - connection->received);
        if (memcmp(client->received, client->message + connection->received, size) != 0) {
                fputs("micro-echo: the server sends back something else\n", stderr);
                exit(EXIT_FAILURE);
        }
}

static void receive_some(struct client *client, struct connection *connection)
{
        uint64_t before = connection->received / client->load->message_bytes;
        ssize_t size = recv(connection->fd, client->received, PIECE_BYTES, MSG_DONTWAIT);

        if (size < 0 && errno == EAGAIN)
                return;
        if (size <= 0)
                echo_die("recv", size < 0 ? errno : ECONNRESET);
        check(client, connection, (size_t)size);
        connection->received += (uint64_t)size;
        client->messages += connection->received / client->load->message_bytes - before;
        send_more(client, connection);
}

static void run_until(struct client *client, double end)
{
        while (now_seconds() < end) {
                struct epoll_event events[EVENTS];
                int count = epoll_wait(client->epoll_fd, events, EVENTS, PATIENCE_MS);

                if (count == 0)
                        echo_die("the server", ETIMEDOUT);
                for (int i = 0; i < count; i++) {
                        struct connection *connection = events[i].data.ptr;

                        if (events[i].events & EPOLLOUT)
                                send_more(client, connection);
                        if (events[i].events & ~(uint32_t)EPOLLOUT)
                                receive_some(client, connection);
                }
        }
}

static int connect_to(uint16_t port)
{
        struct sockaddr_in address = {
                .sin_family = AF_INET,
                .sin_port = htons(port),
                .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
        };
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        int one = 1;

        if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
                setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) < 0)
                echo_die("connect", errno);
        return fd;
}

static void client_init(struct client *client, const struct echo_load *load)
{
        size_t size = load->message_bytes + PIECE_BYTES;

        *client = (struct client){ .load = load, .epoll_fd = epoll_create1(EPOLL_CLOEXEC) };
        client->connections = calloc(load->connections, sizeof(*client->connections));
        client->message = malloc(size);
        client->received = malloc(PIECE_BYTES);
        if (client->epoll_fd < 0 || !client->connections || !client->message || !client->received)
                echo_die("the client", ENOMEM);
        for (size_t i = 0; i < size; i++) {
                uint32_t at = (uint32_t)(i % load->message_bytes);

                client->message[i] = (uint8_t)(at * 2654435761u >> 24);
        }
        for (unsigned i = 0; i < load->connections; i++) {
                client->connections[i].fd = connect_to(load->port);
                watch(client, client->connections + i, EPOLL_CTL_ADD);
        }
}

static void client_deinit(struct client *client)
{
        for (unsigned i = 0; i < client->load->connections; i++)
                close(client->connections[i].fd);
        close(client->epoll_fd);
        free(client->connections);
        free(client->message);
        free(client->received);
}

struct echo_result echo_run_client(
        const struct echo_load *load, void (*on_start)(void *user), void *user)
{
        struct echo_result result;
        struct client client;
        uint64_t cpu_ns;
        double start;

        client_init(&client, load);
        for (unsigned i = 0; i < load->connections; i++)
                send_more(&client, client.connections + i);
        run_until(&client, now_seconds() + WARMUP_SHARE * load->seconds);
        client.messages = 0;
        if (on_start)
                on_start(user);
        cpu_ns = measure_cpu_ns();
        start = now_seconds();
        run_until(&client, start + load->seconds);
        result = (struct echo_result){
                .messages = client.messages,
                .seconds = now_seconds() - start,
                .cpu_seconds = (double)(measure_cpu_ns() - cpu_ns) / 1e9,
        };
        client_deinit(&client);
        return result;
}
