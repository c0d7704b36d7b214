/* SPDX-License-Identifier: MIT */
#include "dns.h"

#define CARES_NO_DEPRECATED /* what takes their place is not in 1.18 */
#include <ares.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "elapsed.h"
#include "hosts.h"
#include "proc.h"

enum { SLOW_MS = 500, HOSTS_BYTES = 65536 };

struct lookup {
        bool is_over;
        int status; /* c-ares' */
        uint16_t port;
        struct addresses *addresses;
};

static void on_found(void *user, int status, int timeouts, struct ares_addrinfo *found)
{
        struct lookup *lookup = user;

        (void)timeouts;
        lookup->is_over = true;
        lookup->status = status;
        if (!found)
                return;
        for (struct ares_addrinfo_node *node = found->nodes; node; node = node->ai_next)
                addresses_add(lookup->addresses, node->ai_addr, lookup->port);
        ares_freeaddrinfo(found);
}

/* One turn: until a name server answers, or c-ares wants to ask again. */
static void turn(ares_channel channel, uint64_t deadline_ns)
{
        ares_socket_t sockets[ARES_GETSOCK_MAXNUM];
        struct pollfd polled[ARES_GETSOCK_MAXNUM] = { 0 };
        struct timeval most = { .tv_sec = elapsed_left_ms(deadline_ns) / 1000 + 1 }, time, *wait;
        int bits = ares_getsock(channel, sockets, ARES_GETSOCK_MAXNUM), timeout_ms;
        nfds_t count = 0;

        for (; count < ARES_GETSOCK_MAXNUM; count++) {
                if (!ARES_GETSOCK_READABLE(bits, count) && !ARES_GETSOCK_WRITABLE(bits, count))
                        break;
                polled[count].fd = sockets[count];
                polled[count].events = (short)((ARES_GETSOCK_READABLE(bits, count) ? POLLIN : 0) |
                                               (ARES_GETSOCK_WRITABLE(bits, count) ? POLLOUT : 0));
        }
        wait = ares_timeout(channel, &most, &time);
        timeout_ms = (int)(wait->tv_sec * 1000 + wait->tv_usec / 1000 + 1);
        if (timeout_ms > elapsed_left_ms(deadline_ns))
                timeout_ms = elapsed_left_ms(deadline_ns);
        (void)poll(polled, count, timeout_ms);
        ares_process_fd(channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
        for (nfds_t i = 0; i < count; i++)
                ares_process_fd(channel,
                        polled[i].revents & ~POLLOUT ? polled[i].fd : ARES_SOCKET_BAD,
                        polled[i].revents & POLLOUT ? polled[i].fd : ARES_SOCKET_BAD);
}

/* A status of c-ares. */
static int look_up(
        const char *host, uint16_t port, unsigned timeout_ms, struct addresses *addresses)
{
        const struct ares_addrinfo_hints hints = { .ai_family = AF_UNSPEC,
                .ai_socktype = SOCK_STREAM };
        struct lookup lookup = { .status = ARES_ETIMEOUT, .port = port, .addresses = addresses };
        uint64_t deadline_ns = clock_now_ns() + timeout_ms * UINT64_C(1000000);
        ares_channel channel;
        int status = ares_init(&channel);

        if (status != ARES_SUCCESS)
                return status;
        ares_getaddrinfo(channel, host, NULL, &hints, on_found, &lookup);
        while (!lookup.is_over && elapsed_left_ms(deadline_ns) > 0)
                turn(channel, deadline_ns);
        status = lookup.is_over ? lookup.status : ARES_ETIMEOUT;
        ares_destroy(channel);
        return status;
}

/* RFC 6761, section 6.3: nobody is asked. */
static bool is_localhost(const char *host)
{
        return strcasecmp(host, "localhost") == 0 || strcasecmp(host, "localhost.") == 0;
}

static void add_localhost(struct addresses *addresses, uint16_t port)
{
        const struct sockaddr_in6 v6 = { .sin6_family = AF_INET6,
                .sin6_addr = IN6ADDR_LOOPBACK_INIT };
        const struct sockaddr_in v4 = {
                .sin_family = AF_INET,
                .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
        };

        addresses_add(addresses, (const struct sockaddr *)&v6, port);
        addresses_add(addresses, (const struct sockaddr *)&v4, port);
}

/* Their hosts: "::1, 127.0.0.1". */
static void list(const struct addresses *addresses, char *text, size_t size)
{
        size_t used = 0;

        text[0] = '\0';
        for (size_t i = 0; i < addresses->count && used < size; i++) {
                const char *own = addresses->list[i].text;
                int host = (int)(strrchr(own, ':') - own);

                if (own[0] == '[') {
                        own++;
                        host -= 2;
                }
                used += (size_t)snprintf(
                        text + used, size - used, "%s%.*s", i > 0 ? ", " : "", host, own);
        }
}

static void say_found(
        struct report *report, const char *host, const struct addresses *addresses, double took_ms)
{
        char text[FINDING_TEXT_BYTES - 64], hosts[HOSTS_BYTES];
        const char *origin = "DNS";

        if (is_localhost(host))
                origin = "RFC 6761";
        else if (hosts_have(proc_read("/etc/hosts", hosts, sizeof(hosts)), host))
                origin = "/etc/hosts";
        list(addresses, text, sizeof(text));
        if (took_ms > SLOW_MS)
                report_warn(report, host,
                        "look at the name servers of /etc/resolv.conf, the first of all, and at "
                        "ndots and search there",
                        "%s (%s), after %.1f ms", text, origin, took_ms);
        else
                report_ok(report, host, "%s (%s, %.1f ms)", text, origin, took_ms);
}

bool dns_check(struct report *report, const struct place *place, unsigned timeout_ms,
        struct addresses *ret_addresses)
{
        uint64_t begun_ns = clock_now_ns();
        int status = ARES_SUCCESS;

        ret_addresses->count = 0;
        if (is_localhost(place->host))
                add_localhost(ret_addresses, place->port);
        else
                status = look_up(place->host, place->port, timeout_ms, ret_addresses);
        if (ret_addresses->count > 0) {
                say_found(report, place->host, ret_addresses, elapsed_ms(begun_ns));
                return true;
        }
        report_fail(report, place->host,
                status == ARES_ENOTFOUND || status == ARES_ENODATA
                        ? "check the name's spelling; add it to DNS or /etc/hosts"
                        : "look at the name servers of /etc/resolv.conf: do they answer?",
                "%s (%.1f ms)",
                status == ARES_SUCCESS ? "it has no address" : ares_strerror(status),
                elapsed_ms(begun_ns));
        return false;
}
