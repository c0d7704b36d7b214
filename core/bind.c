/* SPDX-License-Identifier: MIT */
#include "core/bind.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
        HOST_BYTES_MAX = 256,
        PORT_TRIES = 8, /* free ports tried until one is free on all addresses */
};

static int set_option(int fd, int level, int option, int value)
{
        return setsockopt(fd, level, option, &value, sizeof(value)) < 0 ? -errno : 0;
}

/* EAI_* to errno: the callers have one kind of error. */
static int resolve_error(int code)
{
        switch (code) {
        case EAI_SYSTEM:
                return -errno;
        case EAI_MEMORY:
                return -ENOMEM;
        case EAI_AGAIN:
                return -EAGAIN;
        default:
                return -ENXIO;
        }
}

static int resolve(const char *host, struct addrinfo **ret_addresses)
{
        struct addrinfo hints = {
                .ai_family = AF_UNSPEC,
                .ai_socktype = SOCK_STREAM,
                .ai_flags = AI_PASSIVE,
        };
        char name[HOST_BYTES_MAX];
        size_t size = strlen(host);
        int r;

        if (size >= sizeof(name))
                return -ENAMETOOLONG;
        if (size > 2 && host[0] == '[' && host[size - 1] == ']')
                snprintf(name, sizeof(name), "%.*s", (int)size - 2, host + 1);
        else
                memcpy(name, host, size + 1);
        r = getaddrinfo(name, "0", &hints, ret_addresses);
        return r == 0 ? 0 : resolve_error(r);
}

/*
 * Whether an IPv6 socket for this address accepts only IPv6. A name's IPv6 address does, because its IPv4 address has a socket
 * of its own. "::" accepts both, and ::ffff:127.0.0.1 is an IPv4 address.
 */
static bool is_v6_only(const struct in6_addr *address)
{
        return !IN6_IS_ADDR_UNSPECIFIED(address) && !IN6_IS_ADDR_V4MAPPED(address);
}

static int configure(int fd, const struct addrinfo *address, const struct bind_options *options)
{
        int r = set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);

        if (r == 0 && options && options->reuse_port)
                r = set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
        if (r == 0)
                r = set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1); /* accepted sockets inherit it */
        if (r == 0 && address->ai_family == AF_INET6) {
                const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)address->ai_addr;

                r = set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, is_v6_only(&in6->sin6_addr));
        }
        return r;
}

static void set_port(struct sockaddr *address, uint16_t port)
{
        if (address->sa_family == AF_INET6)
                ((struct sockaddr_in6 *)address)->sin6_port = htons(port);
        else
                ((struct sockaddr_in *)address)->sin_port = htons(port);
}

static int bound_port(int fd, uint16_t *ret_port)
{
        struct sockaddr_storage address;
        socklen_t size = sizeof(address);

        if (getsockname(fd, (struct sockaddr *)&address, &size) < 0)
                return -errno;
        *ret_port =
                ntohs(address.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&address)->sin6_port
                                                    : ((struct sockaddr_in *)&address)->sin_port);
        return 0;
}

static int listen_on(
        const struct addrinfo *address, uint16_t port, const struct bind_options *options)
{
        int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        int r;

        if (fd < 0)
                return -errno;
        set_port(address->ai_addr, port);
        r = configure(fd, address, options);
        if (r == 0 && bind(fd, address->ai_addr, address->ai_addrlen) < 0)
                r = -errno;
        if (r == 0 && listen(fd, bind_backlog(options)) < 0)
                r = -errno;
        if (r < 0) {
                close(fd);
                return r;
        }
        return fd;
}

static void close_all(const int *fds, int count)
{
        for (int i = 0; i < count; i++)
                close(fds[i]);
}

/*
 * An address of the resolver that this machine does not have (::1 without IPv6) is not an error if there is another one that it
 * has.
 */
static bool is_absent(int error)
{
        return error == -EADDRNOTAVAIL || error == -EAFNOSUPPORT;
}

static int listen_on_all(struct addrinfo *addresses, uint16_t port,
        const struct bind_options *options, int ret_fds[BIND_FDS_MAX], uint16_t *ret_port)
{
        int fds[BIND_FDS_MAX];
        int count = 0, r = -ENXIO;

        for (struct addrinfo *address = addresses; address && count < BIND_FDS_MAX;
                address = address->ai_next) {
                int fd = listen_on(address, port, options);

                if (fd < 0) {
                        r = fd;
                        if (is_absent(fd))
                                continue;
                        close_all(fds, count);
                        return r;
                }
                fds[count++] = fd;
                if (port == 0 && (r = bound_port(fd, &port)) < 0) {
                        close_all(fds, count);
                        return r;
                }
        }
        if (count == 0)
                return r;
        memcpy(ret_fds, fds, (size_t)count * sizeof(*fds));
        if (ret_port)
                *ret_port = port;
        return count;
}

static int bind_host(const char *host, uint16_t port, const struct bind_options *options,
        int ret_fds[BIND_FDS_MAX], uint16_t *ret_port)
{
        struct addrinfo *addresses;
        int r = resolve(host, &addresses);

        if (r < 0)
                return r;
        for (int try = 0; try < PORT_TRIES; try++) {
                r = listen_on_all(addresses, port, options, ret_fds, ret_port);
                if (port != 0 || r != -EADDRINUSE)
                        break;
        }
        freeaddrinfo(addresses);
        return r;
}

int bind_tcp(const char *host, uint16_t port, const struct bind_options *options,
        int ret_fds[BIND_FDS_MAX], uint16_t *ret_port)
{
        int r;

        if (host && *host)
                return bind_host(host, port, options, ret_fds, ret_port);
        r = bind_host("::", port, options, ret_fds, ret_port);
        if (is_absent(r) || r == -ENXIO)
                r = bind_host("0.0.0.0", port, options, ret_fds, ret_port);
        return r;
}
