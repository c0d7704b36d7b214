/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/clock.h"
#include "bench/number.h"

/*
 * HTTP/1.1's load: each connection sends the requests on stdin in their order, again and again, for some seconds. Each waits for the
 * answer to the one before; or all of a round are sent at once. All answers must be 200, with a content-length or in chunks.
 *
 *      load PORT CONNECTIONS SECONDS [pipelined] < requests
 */

enum { REQUESTS_BYTES_MAX = 1 << 16, REQUESTS_MAX = 256, ANSWER_BYTES_MAX = 1 << 21 };

struct load {
        char requests[REQUESTS_BYTES_MAX];
        size_t ends[REQUESTS_MAX]; /* of each, in @requests */
        size_t request_count;
        bool is_pipelined;
        uint64_t calls;
        uint64_t bytes; /* of all answers */
};

struct connection {
        int fd;
        size_t answered; /* of this round */
        size_t size;     /* of what is in @answer */
        char *answer;
};

_Noreturn static void fail(const char *what)
{
        fprintf(stderr, "load: %s\n", what);
        exit(EXIT_FAILURE);
}

/* The value of the field @name in the head of @head_size bytes, which has a zero behind it; NULL: it is not there. */
static const char *field(const char *head, const char *head_end, const char *name)
{
        for (const char *line = strstr(head, "\r\n"); line && line < head_end;
                line = strstr(line + 2, "\r\n")) {
                if (strncasecmp(line + 2, name, strlen(name)) == 0)
                        return line + 2 + strlen(name);
        }
        return NULL;
}

/* Of the message that begins at @data, which has a zero behind it; 0: it is not whole. */
static size_t message_bytes(const char *data, size_t size)
{
        const char *head_end = memmem(data, size, "\r\n\r\n", 4), *value, *last;
        size_t body;

        if (!head_end)
                return 0;
        head_end += 4;
        value = field(data, head_end, "content-length:");
        if (value) {
                body = strtoul(value, NULL, 10);
                return (size_t)(data + size - head_end) < body ? 0
                                                               : (size_t)(head_end - data) + body;
        }
        if (!field(data, head_end, "transfer-encoding:"))
                return (size_t)(head_end - data);
        last = memmem(head_end - 2, (size_t)(data + size - head_end) + 2, "\r\n0\r\n\r\n", 7);
        return last ? (size_t)(last + 7 - data) : 0;
}

static void read_requests(struct load *load)
{
        size_t size = fread(load->requests, 1, sizeof(load->requests) - 1, stdin), end = 0;

        while (end < size) {
                size_t one = message_bytes(load->requests + end, size - end);

                if (!one || load->request_count == REQUESTS_MAX)
                        fail("stdin has no requests, or too many");
                end += one;
                load->ends[load->request_count++] = end;
        }
        if (!load->request_count)
                fail("stdin is empty");
}

/* On to the next request, or the next round's all. They fit into a socket's buffer, as the peer reads. */
static void ask(const struct load *load, const struct connection *c)
{
        size_t first = c->answered, end = load->is_pipelined ? load->request_count : first + 1;
        size_t from = first ? load->ends[first - 1] : 0, size = load->ends[end - 1] - from;

        if (send(c->fd, load->requests + from, size, MSG_NOSIGNAL) != (ssize_t)size)
                fail("a connection takes no more requests");
}

static void connection_open(struct connection *c, uint16_t port)
{
        struct sockaddr_in address = { .sin_family = AF_INET,
                .sin_port = htons(port),
                .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        int one = 1;

        c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        c->answer = malloc(ANSWER_BYTES_MAX);
        if (c->fd < 0 || !c->answer || connect(c->fd, (struct sockaddr *)&address, sizeof(address)))
                fail(strerror(errno));
        (void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

static void connection_close(struct connection *c)
{
        close(c->fd);
        free(c->answer);
}

/* The answers that have come whole. */
static void take_answers(struct load *load, struct connection *c)
{
        size_t taken = 0, one;

        while ((one = message_bytes(c->answer + taken, c->size - taken)) > 0) {
                if (strncmp(c->answer + taken, "HTTP/1.1 200 ", strlen("HTTP/1.1 200 ")) != 0)
                        fail(c->answer + taken);
                taken += one;
                load->calls++;
                load->bytes += one;
                c->answered = (c->answered + 1) % load->request_count;
                if (!load->is_pipelined || c->answered == 0)
                        ask(load, c);
        }
        c->size -= taken;
        memmove(c->answer, c->answer + taken, c->size + 1);
}

static void on_readable(struct load *load, struct connection *c)
{
        ssize_t got = recv(c->fd, c->answer + c->size, ANSWER_BYTES_MAX - 1 - c->size, 0);

        if (got <= 0)
                fail("a connection ended, or an answer is too long");
        c->size += (size_t)got;
        c->answer[c->size] = '\0';
        take_answers(load, c);
}

static void run(struct load *load, struct connection *connections, size_t count, uint64_t end_ns)
{
        struct epoll_event events[64];
        int epoll = epoll_create1(EPOLL_CLOEXEC);

        for (size_t i = 0; i < count; i++) {
                struct epoll_event event = { .events = EPOLLIN, .data.ptr = &connections[i] };

                if (epoll_ctl(epoll, EPOLL_CTL_ADD, connections[i].fd, &event))
                        fail(strerror(errno));
                ask(load, &connections[i]);
        }
        while (now_ns() < end_ns) {
                int n = epoll_wait(epoll, events, 64, 100);

                for (int i = 0; i < n; i++)
                        on_readable(load, events[i].data.ptr);
        }
}

int main(int argc, char **argv)
{
        static struct load load;
        struct connection *connections;
        uint64_t port, count, seconds, begin_ns, end_ns;

        if (argc < 4 || !number_parse(argv[1], 1, UINT16_MAX, &port) ||
                !number_parse(argv[2], 1, 10000, &count) ||
                !number_parse(argv[3], 1, 3600, &seconds) ||
                (argc > 4 && strcmp(argv[4], "pipelined") != 0))
                fail("usage: load PORT CONNECTIONS SECONDS [pipelined] < requests");
        load.is_pipelined = argc > 4;
        read_requests(&load);
        connections = calloc(count, sizeof(*connections));
        if (!connections)
                fail("out of memory");
        for (size_t i = 0; i < count; i++)
                connection_open(&connections[i], (uint16_t)port);
        begin_ns = now_ns();
        run(&load, connections, count, begin_ns + seconds * NS_PER_SECOND);
        end_ns = now_ns();
        printf("{\"calls\": %llu, \"bytes\": %llu, \"seconds\": %.3f}\n",
                (unsigned long long)load.calls, (unsigned long long)load.bytes,
                (double)(end_ns - begin_ns) / (double)NS_PER_SECOND);
        for (size_t i = 0; i < count; i++)
                connection_close(&connections[i]);
        free(connections);
        return EXIT_SUCCESS;
}
