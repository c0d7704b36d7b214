/* SPDX-License-Identifier: MIT */
#include "client/dns.h"

#include <ares.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/clock.h"
#include "core/readiness.h"

static const int families[] = { [DNS_V6] = AF_INET6, [DNS_V4] = AF_INET };
static const char NO_ADDRESS[] = "it has no address";

/* ---- answers ---- */

static void note_answer(struct dns_answer *answer, const char *problem)
{
        if (answer->is_here)
                return;
        answer->is_here = true;
        answer->problem = problem;
        ring_defer(answer->dns->ring, &answer->dns->telling, RING_DISPATCH);
}

/* All that are not here yet fail. */
static void fail(struct dns *dns, const char *problem)
{
        for (unsigned i = 0; i < DNS_FAMILIES; i++)
                note_answer(dns->answers + i, problem);
}

/* Without those of the other family: c-ares may take what was not asked for. */
static void take_addresses(struct dns_answer *answer, const struct ares_addrinfo_node *node)
{
        int family = families[answer - answer->dns->answers];

        for (; node && answer->count < DNS_ADDRESSES_MAX; node = node->ai_next) {
                struct endpoint *address = answer->addresses + answer->count;

                if (node->ai_family != family || node->ai_addrlen > ENDPOINT_BYTES_MAX)
                        continue;
                *address = (struct endpoint){ .bytes = (socklen_t)node->ai_addrlen };
                memcpy(&address->any, node->ai_addr, node->ai_addrlen);
                if (address->any.sa_family == AF_INET6)
                        address->v6.sin6_port = htons(answer->dns->port);
                else
                        address->v4.sin_port = htons(answer->dns->port);
                answer->count++;
        }
}

/* From within a function of c-ares, in which nothing of it may be closed: it only notes. */
static void on_found(void *user, int status, int timeouts, struct ares_addrinfo *found)
{
        struct dns_answer *answer = user;

        (void)timeouts;
        if (status == ARES_EDESTRUCTION)
                return;
        if (status == ARES_SUCCESS && !answer->is_here)
                take_addresses(answer, found->nodes);
        if (status == ARES_ENODATA || (status == ARES_SUCCESS && answer->count == 0))
                note_answer(answer, NO_ADDRESS);
        else
                note_answer(answer, status == ARES_SUCCESS ? NULL : ares_strerror(status));
        if (found)
                ares_freeaddrinfo(found);
}

static void on_telling(struct deferred *deferred)
{
        struct dns *dns = CONTAINER_OF(deferred, struct dns, telling);

        dns->on_answer(dns);
}

const char *dns_problem(const struct dns *dns)
{
        const char *problem = NULL;

        for (unsigned i = 0; i < DNS_FAMILIES; i++) {
                const struct dns_answer *answer = dns->answers + i;

                if (answer->is_here && answer->count == 0 && (!problem || problem == NO_ADDRESS))
                        problem = answer->problem;
        }
        return problem;
}

/* ---- time ---- */

static void plan(struct dns *dns);

static void on_time(struct timer *timer)
{
        struct dns *dns = CONTAINER_OF(timer, struct dns, timer);

        ares_process_fd(dns->ares, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
        plan(dns);
}

/* When c-ares wants to go on without a packet: it sends again, or gives up. */
static void plan(struct dns *dns)
{
        struct timeval time, *wanted = ares_timeout(dns->ares, NULL, &time);

        timer_cancel(&dns->ring->timers, &dns->timer);
        if (!wanted)
                return;
        timer_start(&dns->ring->timers, &dns->timer,
                ring_now_ns(dns->ring) + (uint64_t)wanted->tv_sec * NS_PER_S +
                        (uint64_t)wanted->tv_usec * NS_PER_US,
                on_time);
}

/* ---- sockets ---- */

/* c-ares opens, reads, writes and closes it. */
struct dns_socket {
        struct readiness watch;
        struct list link; /* in its dns; alone: c-ares has closed it */
        struct dns *dns; /* until then */
        unsigned *sockets_open;
};

static void on_ready(struct readiness *watch, uint32_t events)
{
        struct dns *dns = CONTAINER_OF(watch, struct dns_socket, watch)->dns;
        int fd = watch->file.fd;

        ares_process_fd(dns->ares, events & EPOLLIN ? fd : ARES_SOCKET_BAD,
                events & EPOLLOUT ? fd : ARES_SOCKET_BAD);
        plan(dns);
}

static void on_unwatched(struct readiness *watch)
{
        struct dns_socket *own = CONTAINER_OF(watch, struct dns_socket, watch);

        (*own->sockets_open)--;
        free(own);
}

static void add_socket(struct dns *dns, int fd, uint32_t events)
{
        struct dns_socket *own = malloc(sizeof(*own));

        if (!own) {
                fail(dns, "out of memory");
                return;
        }
        own->dns = dns;
        own->sockets_open = dns->sockets_open;
        (*dns->sockets_open)++;
        list_init(&own->link);
        list_append(&dns->sockets, &own->link);
        readiness_start(&own->watch, dns->ring, fd, events, on_ready, on_unwatched);
}

static struct dns_socket *find_socket(struct dns *dns, int fd)
{
        for (struct list *link = dns->sockets.next; link != &dns->sockets; link = link->next) {
                struct dns_socket *own = CONTAINER_OF(link, struct dns_socket, link);

                if (own->watch.file.fd == fd)
                        return own;
        }
        return NULL;
}

/* What c-ares waits for on a socket of its own; nothing: it is about to close it. */
static void on_wanted(void *user, ares_socket_t fd, int readable, int writable)
{
        struct dns *dns = user;
        struct dns_socket *own = find_socket(dns, fd);
        uint32_t events = (readable ? EPOLLIN : 0u) | (writable ? EPOLLOUT : 0u);

        if (events == 0 && own) {
                list_remove(&own->link);
                readiness_end(&own->watch);
        } else if (events != 0 && own) {
                readiness_set(&own->watch, events);
        } else if (events != 0) {
                add_socket(dns, fd, events);
        }
}

/* ---- life ---- */

/* RFC 6761, section 6.3: nobody is asked. c-ares knows that too, but 1.18 loses memory where /etc/hosts has one family alone. */
static bool answer_localhost(struct dns *dns, const char *host)
{
        if (strcasecmp(host, "localhost") != 0)
                return false;
        dns->answers[DNS_V6].addresses[0] = (struct endpoint){
                .bytes = sizeof(struct sockaddr_in6),
                .v6 = { .sin6_family = AF_INET6,
                        .sin6_port = htons(dns->port),
                        .sin6_addr = IN6ADDR_LOOPBACK_INIT },
        };
        dns->answers[DNS_V4].addresses[0] = (struct endpoint){
                .bytes = sizeof(struct sockaddr_in),
                .v4 = { .sin_family = AF_INET,
                        .sin_port = htons(dns->port),
                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK) },
        };
        for (unsigned i = 0; i < DNS_FAMILIES; i++) {
                dns->answers[i].count = 1;
                note_answer(dns->answers + i, NULL);
        }
        return true;
}

static int open_ares(struct dns *dns, const char *server)
{
        struct ares_options options = {
                .sock_state_cb = on_wanted,
                .sock_state_cb_data = dns,
        };
        int status = ares_init_options(&dns->ares, &options, ARES_OPT_SOCK_STATE_CB);

        if (status == ARES_SUCCESS && server)
                status = ares_set_servers_ports_csv(dns->ares, server);
        return status;
}

void dns_open(struct dns *dns, struct ring *ring, const char *host, uint16_t port,
        const char *server, unsigned *sockets_open, void (*on_answer)(struct dns *dns))
{
        int status;

        *dns = (struct dns){
                .ring = ring, .port = port, .sockets_open = sockets_open, .on_answer = on_answer
        };
        list_init(&dns->sockets);
        timer_init(&dns->timer);
        deferred_init(&dns->telling, on_telling);
        for (unsigned i = 0; i < DNS_FAMILIES; i++)
                dns->answers[i].dns = dns;
        if (answer_localhost(dns, host))
                return;
        status = open_ares(dns, server);
        if (status != ARES_SUCCESS) {
                fail(dns, ares_strerror(status));
                return;
        }
        for (unsigned i = 0; i < DNS_FAMILIES; i++) {
                const struct ares_addrinfo_hints hints = { .ai_family = families[i],
                        .ai_socktype = SOCK_STREAM };

                ares_getaddrinfo(dns->ares, host, NULL, &hints, on_found, dns->answers + i);
        }
        plan(dns);
}

void dns_close(struct dns *dns)
{
        if (dns->ares)
                ares_destroy(dns->ares);
        dns->ares = NULL;
        timer_cancel(&dns->ring->timers, &dns->timer);
        ring_undefer(&dns->telling);
}
