/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "client/dns.h"
#include "client/target.h"

/*
 * A hostile server of DNS: whatever it answers, by UDP, a lookup ends or can be given up, with at most so many addresses, each of its
 * family and with our port; at most so many records of SRV, sorted, with good names; and a text of TXT. c-ares parses the answers; its
 * own bugs would show here too.
 *
 * Input: answers in the order of the questions, first for AAAA, A, SRV and TXT: a byte of kind, a byte of size, and as many bytes. Without
 * an answer that is left the server is silent.
 */
enum kind {
        RAW, /* all of the message */
        BEHIND_ID, /* what follows the question's number */
        BEHIND_QUESTION, /* the flags and counts, 10 bytes, and what follows the question */
        KINDS,
};

#define PORT 4711
#define TURNS_MAX 64
#define MESSAGE_BYTES 1024
#define ID_BYTES 2
#define HEADER_BYTES 12

struct input {
        const uint8_t *at;
        size_t left;
};

static int server;
static char address[32];
static struct ring ring;

static void begin(void)
{
        struct sockaddr_in own = { .sin_family = AF_INET,
                .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        const struct ring_options options = { .engine = RING_EPOLL };
        socklen_t size = sizeof(own);

        if (server > 0)
                return;
        server = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (server < 0 || bind(server, (struct sockaddr *)&own, size) < 0 ||
                getsockname(server, (struct sockaddr *)&own, &size) < 0 ||
                ring_init(&ring, &options) < 0)
                __builtin_trap();
        snprintf(address, sizeof(address), "127.0.0.1:%u", ntohs(own.sin_port));
}

/* Its size; 0: none is left. */
static size_t make_answer(
        struct input *input, const uint8_t *query, size_t query_bytes, uint8_t *out)
{
        const uint8_t *bytes = input->at + 2;
        enum kind kind = input->left < 2 ? RAW : input->at[0] % KINDS;
        size_t size = input->left < 2 ? 0 : input->at[1], used = 0;
        size_t flags = kind == BEHIND_QUESTION && size >= HEADER_BYTES - ID_BYTES
                               ? HEADER_BYTES - ID_BYTES
                               : 0;

        if (size == 0 || size > input->left - 2)
                return 0;
        input->at += 2 + size;
        input->left -= 2 + size;
        if (kind != RAW)
                memcpy(out, query, used = ID_BYTES);
        memcpy(out + used, bytes, flags);
        used += flags;
        if (flags > 0) {
                memcpy(out + used, query + HEADER_BYTES, query_bytes - HEADER_BYTES);
                used += query_bytes - HEADER_BYTES;
        }
        memcpy(out + used, bytes + flags, size - flags);
        return used + size - flags;
}

static void serve(struct input *input)
{
        for (;;) {
                uint8_t query[MESSAGE_BYTES], answer[2 * MESSAGE_BYTES];
                struct sockaddr_in peer;
                socklen_t peer_bytes = sizeof(peer);
                ssize_t size = recvfrom(server, query, sizeof(query), MSG_DONTWAIT,
                        (struct sockaddr *)&peer, &peer_bytes);

                if (size < HEADER_BYTES)
                        return;
                size = (ssize_t)make_answer(input, query, (size_t)size, answer);
                if (size > 0)
                        (void)sendto(server, answer, (size_t)size, MSG_DONTWAIT,
                                (struct sockaddr *)&peer, peer_bytes);
        }
}

static struct asked {
        struct dns_host host;
        struct dns_srv srv;
        struct dns_txt txt;
} asked;

static void check_addresses(
        const struct dns_addresses *addresses, sa_family_t family, socklen_t size)
{
        assert(addresses->count <= DNS_ADDRESSES_MAX);
        assert(!addresses->answer.is_here || !addresses->answer.problem == (addresses->count > 0));
        for (unsigned i = 0; i < addresses->count; i++) {
                assert(addresses->list[i].any.sa_family == family);
                assert(addresses->list[i].bytes == size);
                assert(endpoint_port(addresses->list + i) == PORT);
        }
}

static void check_srv(const struct dns_srv *srv)
{
        assert(srv->count <= DNS_SRV_MAX);
        assert(!srv->answer.is_here || !srv->answer.problem == (srv->count > 0));
        for (unsigned i = 0; i < srv->count; i++) {
                assert(strlen(srv->services[i].host) < DNS_NAME_BYTES - 1);
                assert(target_is_name(srv->services[i].host));
                assert(srv->services[i].port > 0);
                assert(i == 0 || srv->services[i - 1].priority <= srv->services[i].priority);
        }
}

static void check(void)
{
        const struct dns_txt *txt = &asked.txt;

        check_addresses(asked.host.families + DNS_V6, AF_INET6, sizeof(struct sockaddr_in6));
        check_addresses(asked.host.families + DNS_V4, AF_INET, sizeof(struct sockaddr_in));
        check_srv(&asked.srv);
        assert(!txt->answer.is_here || !txt->answer.problem == (txt->text != NULL));
        assert(!txt->text || (txt->size < 65536 && txt->text[txt->size] == '\0'));
}

static bool is_over(void)
{
        return dns_host_is_whole(&asked.host) && asked.srv.answer.is_here &&
               asked.txt.answer.is_here;
}

static void on_answer(struct dns *dns)
{
        (void)dns;
        check();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct input input = { data, size };
        static struct dns dns;
        unsigned sockets = 0;

        begin();
        memset(&asked, 0, sizeof(asked));
        dns_open(&dns, &ring, address, &sockets, on_answer);
        dns_ask_host(&dns, &asked.host, "backend.test.", PORT);
        dns_ask_srv(&dns, &asked.srv, "_grpc._tcp.backend.test.");
        dns_ask_txt(&dns, &asked.txt, "_grpc_config.backend.test.", "grpc_config=");
        for (unsigned i = 0; i < TURNS_MAX; i++) {
                if (is_over())
                        break;
                if (ring_turn(&ring, 0) < 0)
                        __builtin_trap();
                serve(&input);
                if (input.left < 2 && i > 4)
                        break; /* it is silent from here on */
        }
        check();
        dns_close(&dns);
        dns_txt_deinit(&asked.txt);
        while (sockets > 0)
                (void)ring_turn(&ring, 1000000);
        serve(&(struct input){ 0 }); /* what was asked and is not to be answered */
        return 0;
}
