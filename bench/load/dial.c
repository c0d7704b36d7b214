/* SPDX-License-Identifier: MIT */
#include "bench/load/dial.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#define CONNECT_SECONDS_MAX 10
#define OTHER_DESCRIPTORS 16

const char *dial_resolve(struct dial *dial, const char *host, const char *port)
{
        struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found;
        int r = getaddrinfo(host, port, &hints, &found);

        if (r != 0)
                return gai_strerror(r);
        memcpy(&dial->address, found->ai_addr, found->ai_addrlen);
        dial->address_bytes = found->ai_addrlen;
        freeaddrinfo(found);
        return NULL;
}

int dial_connect(const struct dial *dial)
{
        struct timeval limit = { .tv_sec = CONNECT_SECONDS_MAX };
        int fd = socket(dial->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

        if (fd < 0)
                return -errno;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
        if (connect(fd, (const struct sockaddr *)&dial->address, dial->address_bytes) < 0) {
                int error = errno == EINPROGRESS ? ETIMEDOUT : errno;

                close(fd);
                return -error;
        }
        fcntl(fd, F_SETFL, O_NONBLOCK);
        return fd;
}

bool dial_allow_sockets(uint64_t count)
{
        rlim_t needed = count + OTHER_DESCRIPTORS;
        struct rlimit limit;

        getrlimit(RLIMIT_NOFILE, &limit);
        if (limit.rlim_cur >= needed)
                return true;
        limit.rlim_cur = needed;
        if (limit.rlim_max < needed)
                limit.rlim_max = needed; /* only root may */
        return setrlimit(RLIMIT_NOFILE, &limit) == 0;
}
