/* SPDX-License-Identifier: MIT */
#include "name_server.h"

#include "../core/harness.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#define HEADER_BYTES 12
#define QUERY_BYTES 512
#define ANSWER_BYTES 8192
#define LATE_MAX 8
#define GARBAGE_BYTES 40

struct name_late {
        uint64_t due_ns; /* 0: it is free */
        struct sockaddr_in peer;
        size_t size;
        uint8_t bytes[QUERY_BYTES];
};

/* ---- the wire: RFC 1035, section 4 ---- */

struct question {
        const uint8_t *bytes;
        size_t size; /* with the header, without what is behind it */
        char name[256];
        unsigned type;
};

static bool parse(const uint8_t *bytes, size_t size, struct question *ret_question)
{
        size_t at = HEADER_BYTES, used = 0;

        while (at < size && bytes[at] > 0) {
                if (bytes[at] > 63 || at + 1 + bytes[at] >= size)
                        return false;
                memcpy(ret_question->name + used, bytes + at + 1, bytes[at]);
                used += bytes[at];
                ret_question->name[used++] = '.';
                at += 1u + bytes[at];
        }
        if (at + 5 > size || used == 0)
                return false;
        ret_question->name[used - 1] = '\0';
        ret_question->type = (unsigned)bytes[at + 1] << 8 | bytes[at + 2];
        ret_question->bytes = bytes;
        ret_question->size = at + 5;
        return true;
}

static size_t put(uint8_t *out, size_t at, unsigned value, unsigned bytes)
{
        while (bytes-- > 0)
                out[at++] = (uint8_t)(value >> 8 * bytes);
        return at;
}

static size_t put_address(uint8_t *out, size_t at, unsigned type, unsigned number)
{
        unsigned size = type == NAME_A ? 4 : 16;

        at = put(out, at, 0xc00c, 2); /* the question's name */
        at = put(out, at, type, 2);
        at = put(out, at, 1, 2);
        at = put(out, at, 60, 4);
        at = put(out, at, size, 2);
        memset(out + at, 0, size);
        if (type == NAME_A)
                put(out, at, 0x7f000000 + number, 4);
        else
                put(out, at + 12, number, 4);
        return at + size;
}

/* The head of a record; its size is put in by end_record(). */
static size_t put_head(uint8_t *out, size_t at, unsigned type)
{
        at = put(out, at, 0xc00c, 2); /* the question's name */
        at = put(out, at, type, 2);
        at = put(out, at, 1, 2);
        at = put(out, at, 60, 4);
        return at + 2;
}

static size_t end_record(uint8_t *out, size_t begin, size_t at)
{
        put(out, begin - 2, (unsigned)(at - begin), 2);
        return at;
}

static size_t put_name(uint8_t *out, size_t at, const char *name)
{
        while (*name) {
                size_t size = strcspn(name, ".");

                out[at++] = (uint8_t)size;
                memcpy(out + at, name, size);
                at += size;
                name += size + (name[size] == '.');
        }
        out[at++] = 0;
        return at;
}

static size_t put_service(uint8_t *out, size_t at, const struct name_service *service)
{
        size_t begin = at = put_head(out, at, NAME_SRV);

        at = put(out, at, service->priority, 2);
        at = put(out, at, service->weight, 2);
        at = put(out, at, service->port, 2);
        at = put_name(out, at, strcmp(service->host, ".") == 0 ? "" : service->host);
        return end_record(out, begin, at);
}

static size_t put_text(uint8_t *out, size_t at, const char *text)
{
        size_t begin = at = put_head(out, at, NAME_TXT), left = strlen(text);

        do {
                size_t size = left < 255 ? left : 255;

                out[at++] = (uint8_t)size;
                memcpy(out + at, text, size);
                at += size;
                text += size;
                left -= size;
        } while (left > 0);
        return end_record(out, begin, at);
}

static size_t put_record(
        uint8_t *out, size_t at, unsigned type, const struct name_rule *rule, unsigned index)
{
        if (rule->services)
                return put_service(out, at, rule->services + index);
        if (rule->text)
                return put_text(out, at, rule->text);
        return put_address(out, at, type, rule->first + index);
}

static size_t make_answer(
        const struct question *question, const struct name_rule *rule, bool by_tcp, uint8_t *out)
{
        bool is_cut = rule && rule->act == NAME_TRUNCATES && !by_tcp;
        bool is_garbage = rule && rule->act == NAME_TALKS_GARBAGE;
        unsigned count = rule && !is_cut && rule->act != NAME_FAILS ? rule->count : 0;
        unsigned code = !rule ? 3 : rule->act == NAME_FAILS ? 2 : 0;
        unsigned type = question->type;
        size_t at = question->size;

        if (rule && rule->act == NAME_CONFUSES)
                type = type == NAME_A ? NAME_AAAA : NAME_A;
        memcpy(out, question->bytes, at);
        put(out, 2, 0x8180 | (is_cut ? 0x200u : 0) | code, 2);
        put(out, 4, 1, 2);
        put(out, 6, is_garbage ? 7 : count, 2);
        put(out, 8, 0, 4);
        for (unsigned i = 0; i < count && !is_garbage; i++)
                at = put_record(out, at, type, rule, i);
        if (is_garbage) { /* pointers to themselves, among others */
                memset(out + at, 0xc0, GARBAGE_BYTES);
                at += GARBAGE_BYTES;
        }
        return at;
}

/* ---- the server ---- */

static const struct name_rule *find_rule(
        const struct name_server *server, const struct question *question)
{
        const struct name_rule *rule = atomic_load(&server->rules);

        for (; rule->name; rule++) {
                if (strcasecmp(rule->name, question->name) == 0 &&
                        (rule->type == 0 || rule->type == question->type))
                        return rule;
        }
        return NULL;
}

static void send_late(struct name_server *server, const uint8_t *bytes, size_t size,
        const struct sockaddr_in *peer, unsigned late_ms)
{
        for (unsigned i = 0; i < LATE_MAX; i++) {
                struct name_late *late = server->late + i;

                if (late->due_ns > 0 || size > sizeof(late->bytes))
                        continue;
                *late = (struct name_late){
                        .due_ns = clock_ns() + late_ms * MS, .peer = *peer, .size = size
                };
                memcpy(late->bytes, bytes, size);
                return;
        }
        abort();
}

static void serve_udp(struct name_server *server)
{
        struct sockaddr_in peer;
        socklen_t peer_bytes = sizeof(peer);
        uint8_t query[QUERY_BYTES], answer[ANSWER_BYTES];
        ssize_t size = recvfrom(
                server->udp, query, sizeof(query), 0, (struct sockaddr *)&peer, &peer_bytes);
        const struct name_rule *rule;
        struct question question;
        unsigned before;

        if (size < 0 || !parse(query, (size_t)size, &question))
                return;
        before = atomic_fetch_add(&server->asked, 1);
        rule = find_rule(server, &question);
        if (rule &&
                (rule->act == NAME_IS_SILENT || (rule->act == NAME_IS_SILENT_ONCE && before < 2)))
                return;
        size = (ssize_t)make_answer(&question, rule, false, answer);
        if (rule && rule->late_ms > 0)
                send_late(server, answer, (size_t)size, &peer, rule->late_ms);
        else
                sendto(server->udp, answer, (size_t)size, 0, (struct sockaddr *)&peer, peer_bytes);
}

/* One question a connection. */
static void serve_tcp(struct name_server *server)
{
        const struct timeval limit = { .tv_sec = 5 };
        int fd = accept4(server->tcp, NULL, NULL, SOCK_CLOEXEC);
        uint8_t query[QUERY_BYTES], answer[ANSWER_BYTES], prefix[2];
        struct question question;
        size_t size;

        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
        if (recv(fd, prefix, 2, MSG_WAITALL) == 2) {
                size = (size_t)prefix[0] << 8 | prefix[1];
                if (size <= sizeof(query) && recv(fd, query, size, MSG_WAITALL) == (ssize_t)size &&
                        parse(query, size, &question)) {
                        atomic_fetch_add(&server->asked_by_tcp, 1);
                        size = make_answer(&question, find_rule(server, &question), true, answer);
                        put(prefix, 0, (unsigned)size, 2);
                        send(fd, prefix, 2, MSG_NOSIGNAL | MSG_MORE);
                        send(fd, answer, size, MSG_NOSIGNAL);
                }
        }
        close(fd);
}

/* Sends those that are due; in how many milliseconds the next one is, -1: there is none. */
static int send_due(struct name_server *server)
{
        uint64_t now_ns = clock_ns(), next_ns = UINT64_MAX;

        for (unsigned i = 0; i < LATE_MAX; i++) {
                struct name_late *late = server->late + i;

                if (late->due_ns == 0)
                        continue;
                if (late->due_ns > now_ns) {
                        next_ns = late->due_ns < next_ns ? late->due_ns : next_ns;
                        continue;
                }
                sendto(server->udp, late->bytes, late->size, 0, (struct sockaddr *)&late->peer,
                        sizeof(late->peer));
                late->due_ns = 0;
        }
        return next_ns == UINT64_MAX ? -1 : (int)((next_ns - now_ns) / MS) + 1;
}

static void *serve(void *arg)
{
        struct name_server *server = arg;
        struct pollfd fds[] = {
                { .fd = server->udp, .events = POLLIN },
                { .fd = server->tcp, .events = POLLIN },
                { .fd = server->stop, .events = POLLIN },
        };

        for (;;) {
                poll(fds, 3, send_due(server));
                if (fds[2].revents)
                        return NULL;
                if (fds[0].revents)
                        serve_udp(server);
                if (fds[1].revents)
                        serve_tcp(server);
        }
}

/* Both sockets have one port. */
static void bind_both(struct name_server *server)
{
        struct sockaddr_in address = { .sin_family = AF_INET,
                .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        socklen_t size = sizeof(address);

        for (unsigned i = 0; i < 100; i++) {
                server->tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
                server->udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
                address.sin_port = 0;
                assert_int_equal(bind(server->tcp, (struct sockaddr *)&address, size), 0);
                assert_int_equal(getsockname(server->tcp, (struct sockaddr *)&address, &size), 0);
                if (bind(server->udp, (struct sockaddr *)&address, size) == 0)
                        break;
                close(server->tcp);
                close(server->udp);
        }
        assert_int_equal(listen(server->tcp, 5), 0);
        server->port = ntohs(address.sin_port);
}

void name_server_start(struct name_server *server, const struct name_rule *rules)
{
        *server = (struct name_server){ .rules = rules };
        server->late = calloc(LATE_MAX, sizeof(*server->late));
        server->stop = eventfd(0, EFD_CLOEXEC);
        bind_both(server);
        assert_int_equal(pthread_create(&server->thread, NULL, serve, server), 0);
}

void name_server_stop(struct name_server *server)
{
        assert_int_equal(eventfd_write(server->stop, 1), 0);
        assert_int_equal(pthread_join(server->thread, NULL), 0);
        close(server->udp);
        close(server->tcp);
        close(server->stop);
        free(server->late);
}
