/* SPDX-License-Identifier: MIT */
#include "core/bind.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

static int get_option(int fd, int option, int *ret_value)
{
        socklen_t size = sizeof(*ret_value);

        return getsockopt(fd, SOL_SOCKET, option, ret_value, &size) < 0 ? -errno : 0;
}

static bool is_tcp(int domain)
{
        return domain == AF_INET || domain == AF_INET6;
}

static int examine(int fd, int *ret_domain)
{
        int type, domain, listens;
        int r = get_option(fd, SO_TYPE, &type);

        if (r < 0)
                return r;
        if (type != SOCK_STREAM)
                return -ESOCKTNOSUPPORT;
        r = get_option(fd, SO_DOMAIN, &domain);
        if (r < 0)
                return r;
        if (!is_tcp(domain) && domain != AF_UNIX && domain != AF_VSOCK)
                return -EAFNOSUPPORT;
        r = get_option(fd, SO_ACCEPTCONN, &listens);
        if (r < 0)
                return r;
        if (!listens)
                return -ENOTCONN;
        *ret_domain = domain;
        return 0;
}

int bind_adopt(int fd)
{
        int domain, one = 1;
        int r = examine(fd, &domain);

        if (r < 0)
                return r;
        /* O_NONBLOCK is not changed: another process that shares the socket may need it. */
        if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
                return -errno;
        if (is_tcp(domain) && setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) < 0)
                return -errno; /* accepted sockets inherit it */
        return 0;
}
