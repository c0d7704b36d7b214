/* SPDX-License-Identifier: MIT */
#include "names.h"

#include <ares.h>
#include <ares_nameser.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "core/clock.h"
#include "core/engine/sim.h"

enum {
        HEADER_BYTES = 12,
        PACKET_BYTES = 512,
        ANSWERS_MAX = 16, /* on their way, on all sockets */
        LAME_HOSTS = 2, /* 1 refuses, 2 is silent: sim_reach() */
        TIMEOUT_MS = 3600000,
};

struct answer {
        int fd; /* 0: none */
        uint64_t due_ns;
        size_t size;
        uint8_t bytes[PACKET_BYTES];
};

static struct {
        unsigned servers;
        unsigned places; /* bits: those that the name has */
        unsigned lame; /* bits: hosts from 1 on */
        bool has_v4, has_v6;
        uint8_t code; /* of an answer without addresses: NXDOMAIN and so on */
        struct answer answers[ANSWERS_MAX];
} names;

/* ---- what it knows ---- */

static void set_all(void)
{
        names.places = (1u << names.servers) - 1;
        names.lame = 0;
        names.has_v4 = true;
        names.has_v6 = false;
        names.code = 0;
}

void names_begin(unsigned servers)
{
        memset(&names, 0, sizeof(names));
        names.servers = servers;
        set_all();
}

void names_calm(void)
{
        set_all();
}

void names_change(void)
{
        static const uint8_t codes[] = { 0, 2, 3, 5 }; /* nothing, SERVFAIL, NXDOMAIN, REFUSED */
        unsigned which = (unsigned)sim_below(4);

        names.places = (unsigned)sim_below(1u << names.servers);
        names.lame = sim_chance(300) ? (unsigned)sim_below(1u << LAME_HOSTS) : 0;
        names.has_v4 = which != 1;
        names.has_v6 = which == 1 || which == 2;
        names.code = codes[sim_below(4)];
        sim_note("the name changes", names.places, names.lame << 2 | which);
}

/* ---- answers ---- */

static size_t put_record(uint8_t *out, int type, unsigned host)
{
        static const uint8_t v6[16] = { 0xfd };
        size_t size = type == T_A ? 4 : 16;
        /* the name of the question, a class, 1 s */
        const uint8_t head[] = { 0xc0, HEADER_BYTES, 0, (uint8_t)type, 0, C_IN, 0, 0, 0, 1, 0,
                (uint8_t)size };

        memcpy(out, head, sizeof(head));
        memcpy(out + sizeof(head), type == T_A ? (const uint8_t[]){ 10, 0, 0, 0 } : v6, size);
        out[sizeof(head) + size - 1] = (uint8_t)host;
        return sizeof(head) + size;
}

static unsigned put_records(struct answer *answer, int type)
{
        unsigned count = 0;

        for (unsigned i = 0; i < LAME_HOSTS; i++) {
                if (!(names.lame & 1u << i))
                        continue;
                answer->size += put_record(answer->bytes + answer->size, type, 1 + i);
                count++;
        }
        for (unsigned i = 0; i < names.servers; i++) {
                if (!(names.places & 1u << i))
                        continue;
                answer->size += put_record(answer->bytes + answer->size, type, SIM_FIRST_HOST - i);
                count++;
        }
        return count;
}

/* Where the question of @query ends, with its type; 0: it has none. */
static size_t end_of_question(const uint8_t *query, size_t size, int *ret_type)
{
        size_t at = HEADER_BYTES;

        while (at < size && query[at] > 0)
                at += 1u + query[at];
        if (at + 5 > size)
                return 0;
        *ret_type = query[at + 1] << 8 | query[at + 2];
        return at + 5;
}

/* To a @query of which all but its question is left away. */
static void make_answer(struct answer *answer, const uint8_t *query, size_t size)
{
        int type = 0;
        size_t end = end_of_question(query, size, &type);
        bool has = (type == T_A && names.has_v4) || (type == T_AAAA && names.has_v6);
        unsigned count;

        if (end == 0)
                sim_fail("c-ares asks for nothing");
        memcpy(answer->bytes, query, end);
        answer->size = end;
        count = has ? put_records(answer, type) : 0;
        memset(answer->bytes + 2, 0, HEADER_BYTES - 2);
        answer->bytes[2] = 0x85; /* an answer, of who knows, to one that wants recursion */
        answer->bytes[3] = 0x80 | (count > 0 || has ? 0 : names.code);
        answer->bytes[5] = 1;
        answer->bytes[7] = (uint8_t)count;
        sim_note("name is asked", (uint64_t)type, count);
}

/* ---- sockets ---- */

static struct answer *find_answer(int fd)
{
        for (unsigned i = 0; i < ANSWERS_MAX; i++) {
                if (names.answers[i].fd == fd)
                        return names.answers + i;
        }
        return NULL;
}

static void note_readable(int fd)
{
        const struct answer *answer = find_answer(fd);

        sim_foreign_set(sim_file(fd), answer ? answer->due_ns : SIM_NEVER);
}

static ares_socket_t on_socket(int family, int type, int protocol, void *user)
{
        (void)family;
        (void)type;
        (void)protocol;
        (void)user;
        if (!sim_fault(SIM_ERROR))
                return sim_foreign_new();
        errno = EMFILE;
        return ARES_SOCKET_BAD;
}

static int on_close(ares_socket_t fd, void *user)
{
        struct answer *answer;

        (void)user;
        while ((answer = find_answer(fd)))
                answer->fd = 0;
        sim_file_close(sim_file(fd));
        return 0;
}

/* c-ares connects to the server; and to addresses that it has got, to know which of them the system would rather use. */
static int on_connect(
        ares_socket_t fd, const struct sockaddr *address, ares_socklen_t size, void *user)
{
        (void)fd;
        (void)size;
        (void)user;
        if (((const struct sockaddr_in *)address)->sin_port == htons(53))
                return 0;
        errno = ENETUNREACH;
        return -1;
}

static ares_ssize_t on_send(ares_socket_t fd, const struct iovec *iovecs, int count, void *user)
{
        struct answer *answer = find_answer(0);

        (void)user;
        if (count != 1)
                sim_fail("c-ares sends a query in %d parts", count);
        if (!answer || (!sim.is_calm && sim_chance(100)))
                return (ares_ssize_t)iovecs->iov_len; /* it is lost */
        make_answer(answer, iovecs->iov_base, iovecs->iov_len);
        answer->fd = fd;
        answer->due_ns = sim_soon_ns();
        if (!sim.is_calm && sim_chance(200))
                answer->due_ns += sim_below(2 * NS_PER_S);
        note_readable(fd);
        return (ares_ssize_t)iovecs->iov_len;
}

static ares_ssize_t on_receive(ares_socket_t fd, void *bytes, size_t size, int flags,
        struct sockaddr *from, ares_socklen_t *from_size, void *user)
{
        const struct sockaddr_in server = {
                .sin_family = AF_INET, .sin_port = htons(53), .sin_addr.s_addr = htonl(0x0a000035)
        };
        struct answer *answer = find_answer(fd);

        (void)flags;
        (void)user;
        if (!answer || answer->due_ns > sim.now_ns) {
                errno = EWOULDBLOCK;
                return -1;
        }
        size = answer->size < size ? answer->size : size;
        memcpy(bytes, answer->bytes, size);
        if (from) {
                memcpy(from, &server, sizeof(server));
                *from_size = sizeof(server);
        }
        answer->fd = 0;
        note_readable(fd);
        return (ares_ssize_t)size;
}

/* ---- c-ares ---- */

int __real_ares_init_options(ares_channel *channel, struct ares_options *options, int mask);
int __wrap_ares_init_options(ares_channel *channel, struct ares_options *options, int mask);
struct timeval *__real_ares_timeout(
        ares_channel channel, struct timeval *most, struct timeval *wanted);
struct timeval *__wrap_ares_timeout(
        ares_channel channel, struct timeval *most, struct timeval *wanted);

/* Without what the machine's files say. */
int __wrap_ares_init_options(ares_channel *channel, struct ares_options *options, int mask)
{
        static const struct ares_socket_functions functions = { on_socket, on_close, on_connect,
                on_receive, on_send };
        struct ares_options own = *options;
        int status;

        own.lookups = "b";
        own.ndomains = 0;
        own.timeout = TIMEOUT_MS;
        status = __real_ares_init_options(
                channel, &own, mask | ARES_OPT_LOOKUPS | ARES_OPT_DOMAINS | ARES_OPT_TIMEOUTMS);
        if (status == ARES_SUCCESS)
                ares_set_socket_functions(*channel, &functions, NULL);
        return status;
}

/* Its clock is the machine's, and no time passes on it: so it never sends a query again. */
struct timeval *__wrap_ares_timeout(
        ares_channel channel, struct timeval *most, struct timeval *wanted)
{
        struct timeval *real = __real_ares_timeout(channel, most, wanted);

        if (real)
                *real = (struct timeval){ .tv_sec = TIMEOUT_MS / 1000 };
        return real;
}
