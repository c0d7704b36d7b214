/* SPDX-License-Identifier: MIT */
#include "client/dns.h"

#define CARES_NO_DEPRECATED /* what takes their place is not in 1.18 */
#include <ares.h>
#include <ares_nameser.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "client/dns_records.h"
#include "core/clock.h"
#include "core/readiness.h"

static const int families[] = { [DNS_V6] = AF_INET6, [DNS_V4] = AF_INET };
static const char NO_ADDRESS[] = "it has no address";

/* ---- answers ---- */

static void note(struct dns_answer *answer, int status)
{
        if (answer->is_here)
                return;
        answer->is_here = true;
        answer->is_none = status == ARES_ENODATA || status == ARES_ENOTFOUND;
        if (status == ARES_ENODATA)
                answer->problem = NO_ADDRESS;
        else if (status != ARES_SUCCESS)
                answer->problem = ares_strerror(status);
        ring_defer(answer->dns->ring, &answer->dns->telling, RING_DISPATCH);
}

/* Without those of the other family: c-ares may take what was not asked for. */
static void take_addresses(
        struct dns_addresses *addresses, int family, const struct ares_addrinfo_node *node)
{
        for (; node && addresses->count < DNS_ADDRESSES_MAX; node = node->ai_next) {
                struct endpoint *address = addresses->list + addresses->count;

                if (node->ai_family != family || node->ai_addrlen > ENDPOINT_BYTES_MAX)
                        continue;
                *address = (struct endpoint){ .bytes = (socklen_t)node->ai_addrlen };
                memcpy(&address->any, node->ai_addr, node->ai_addrlen);
                if (address->any.sa_family == AF_INET6)
                        address->v6.sin6_port = htons(addresses->port);
                else
                        address->v4.sin_port = htons(addresses->port);
                addresses->count++;
        }
}

/* From within a function of c-ares, in which nothing of it may be closed: it only notes. */
static void on_found(struct dns_addresses *addresses, enum dns_family family, int status,
        struct ares_addrinfo *found)
{
        if (status == ARES_EDESTRUCTION)
                return;
        if (status == ARES_SUCCESS && !addresses->answer.is_here)
                take_addresses(addresses, families[family], found->nodes);
        note(&addresses->answer,
                status == ARES_SUCCESS && addresses->count == 0 ? ARES_ENODATA : status);
        if (found)
                ares_freeaddrinfo(found);
}

static void on_found_v6(void *user, int status, int timeouts, struct ares_addrinfo *found)
{
        (void)timeouts;
        on_found(user, DNS_V6, status, found);
}

static void on_found_v4(void *user, int status, int timeouts, struct ares_addrinfo *found)
{
        (void)timeouts;
        on_found(user, DNS_V4, status, found);
}

static void on_srv(void *user, int status, int timeouts, unsigned char *bytes, int size)
{
        struct dns_srv *srv = user;

        (void)timeouts;
        if (status == ARES_EDESTRUCTION)
                return;
        note(&srv->answer,
                status == ARES_SUCCESS ? dns_records_read_srv(bytes, (size_t)size, srv) : status);
}

static void on_txt(void *user, int status, int timeouts, unsigned char *bytes, int size)
{
        struct dns_txt *txt = user;

        (void)timeouts;
        if (status == ARES_EDESTRUCTION)
                return;
        note(&txt->answer,
                status == ARES_SUCCESS ? dns_records_read_txt(bytes, (size_t)size, txt) : status);
}

static void on_telling(struct deferred *deferred)
{
        struct dns *dns = CONTAINER_OF(deferred, struct dns, telling);

        dns->on_answer(dns);
}

const char *dns_host_problem(const struct dns_host *host)
{
        const char *problem = NULL;

        for (unsigned i = 0; i < DNS_FAMILIES; i++) {
                const struct dns_addresses *addresses = host->families + i;

                if (addresses->answer.is_here && addresses->count == 0 &&
                        (!problem || problem == NO_ADDRESS))
                        problem = addresses->answer.problem;
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

        if (!own) /* nothing is heard there: c-ares gives the question up in time */
                return;
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

/* ---- questions ---- */

/* RFC 6761, section 6.3. */
static bool is_localhost(const char *name)
{
        return strcasecmp(name, "localhost") == 0 || strcasecmp(name, "localhost.") == 0;
}

/* Nobody is asked. c-ares knows that too, but 1.18 loses memory where /etc/hosts has one family alone. */
static void answer_localhost(struct dns_host *host, uint16_t port)
{
        host->families[DNS_V6].list[0] = (struct endpoint){
                .bytes = sizeof(struct sockaddr_in6),
                .v6 = { .sin6_family = AF_INET6,
                        .sin6_port = htons(port),
                        .sin6_addr = IN6ADDR_LOOPBACK_INIT },
        };
        host->families[DNS_V4].list[0] = (struct endpoint){
                .bytes = sizeof(struct sockaddr_in),
                .v4 = { .sin_family = AF_INET,
                        .sin_port = htons(port),
                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK) },
        };
        for (unsigned i = 0; i < DNS_FAMILIES; i++) {
                host->families[i].count = 1;
                note(&host->families[i].answer, ARES_SUCCESS);
        }
}

/* With the first question. A status of c-ares. */
static int begin(struct dns *dns)
{
        struct ares_options options = {
                .sock_state_cb = on_wanted,
                .sock_state_cb_data = dns,
        };
        int status;

        if (dns->ares)
                return ARES_SUCCESS;
        status = ares_init_options(&dns->ares, &options, ARES_OPT_SOCK_STATE_CB);
        if (status != ARES_SUCCESS) {
                dns->ares = NULL;
                return status;
        }
        if (dns->server)
                status = ares_set_servers_ports_csv(dns->ares, dns->server);
        if (status != ARES_SUCCESS) {
                ares_destroy(dns->ares);
                dns->ares = NULL;
        }
        return status;
}

void dns_ask_host(struct dns *dns, struct dns_host *host, const char *name, uint16_t port)
{
        static const ares_addrinfo_callback on_founds[] = {
                [DNS_V6] = on_found_v6, [DNS_V4] = on_found_v4
        };
        int status;

        for (unsigned i = 0; i < DNS_FAMILIES; i++) {
                host->families[i].answer = (struct dns_answer){ .dns = dns };
                host->families[i].port = port;
                host->families[i].count = 0;
        }
        if (is_localhost(name)) {
                answer_localhost(host, port);
                return;
        }
        status = begin(dns);
        for (unsigned i = 0; i < DNS_FAMILIES; i++) {
                const struct ares_addrinfo_hints hints = { .ai_family = families[i],
                        .ai_socktype = SOCK_STREAM };

                if (status == ARES_SUCCESS)
                        ares_getaddrinfo(
                                dns->ares, name, NULL, &hints, on_founds[i], host->families + i);
                else
                        note(&host->families[i].answer, status);
        }
        if (status == ARES_SUCCESS)
                plan(dns);
}

/* Records of one kind. */
static void ask(struct dns *dns, const char *name, int type, ares_callback on_reply, void *user)
{
        int status = begin(dns);

        if (status != ARES_SUCCESS) {
                on_reply(user, status, 0, NULL, 0);
                return;
        }
        ares_search(dns->ares, name, C_IN, type, on_reply, user);
        plan(dns);
}

void dns_ask_srv(struct dns *dns, struct dns_srv *srv, const char *name)
{
        srv->answer = (struct dns_answer){ .dns = dns };
        srv->is_refused = false;
        srv->count = 0;
        ask(dns, name, T_SRV, on_srv, srv);
}

void dns_ask_txt(struct dns *dns, struct dns_txt *txt, const char *name, const char *prefix)
{
        *txt = (struct dns_txt){ .answer = { .dns = dns }, .prefix = prefix };
        ask(dns, name, T_TXT, on_txt, txt);
}

void dns_txt_deinit(struct dns_txt *txt)
{
        free(txt->text);
        txt->text = NULL;
}

/* ---- life ---- */

void dns_open(struct dns *dns, struct ring *ring, const char *server, unsigned *sockets_open,
        void (*on_answer)(struct dns *dns))
{
        *dns = (struct dns){
                .ring = ring, .server = server, .sockets_open = sockets_open, .on_answer = on_answer
        };
        list_init(&dns->sockets);
        timer_init(&dns->timer);
        deferred_init(&dns->telling, on_telling);
}

void dns_close(struct dns *dns)
{
        if (dns->ares)
                ares_destroy(dns->ares);
        dns->ares = NULL;
        timer_cancel(&dns->ring->timers, &dns->timer);
        ring_undefer(&dns->telling);
}
