/* SPDX-License-Identifier: MIT */
#include "tcp.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "elapsed.h"

/* Waits for what connect() has begun. 0, or a negative errno. */
static int await_connected(int fd, unsigned timeout_ms)
{
        struct pollfd polled = { .fd = fd, .events = POLLOUT };
        uint64_t deadline_ns = clock_now_ns() + timeout_ms * UINT64_C(1000000);
        socklen_t size = sizeof(int);
        int r, error;

        do
                r = poll(&polled, 1, elapsed_left_ms(deadline_ns));
        while (r < 0 && errno == EINTR);
        if (r <= 0)
                return r < 0 ? -errno : -ETIMEDOUT;
        if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
                return -errno;
        return -error;
}

int tcp_connect(const struct address *address, unsigned timeout_ms)
{
        int fd = socket(address->bytes.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        int r = 0;

        if (fd < 0)
                return -errno;
        if (connect(fd, (const struct sockaddr *)&address->bytes, address->size) < 0)
                r = errno == EINPROGRESS ? await_connected(fd, timeout_ms) : -errno;
        if (r < 0) {
                close(fd);
                return r;
        }
        return fd;
}

static const char *advice_of(int error)
{
        switch (error) {
        case -ECONNREFUSED:
                return "nothing listens there: start the server, or look at its address and port "
                       "(ss -ltn)";
        case -ETIMEDOUT:
                return "nobody answers: a firewall drops packets, or the machine is off";
        case -ENETUNREACH:
        case -EHOSTUNREACH:
                return "there is no way to it: look at ip route, or at a firewall";
        case -EADDRNOTAVAIL:
                return "no address or port of this machine is left for it: "
                       "net.ipv4.ip_local_port_range, or no IPv6 here";
        case -EAFNOSUPPORT:
                return "this machine does not speak that family of addresses";
        case -EACCES:
        case -EPERM:
                return "a firewall, a sandbox or the socket's permissions forbid it";
        case -ENOENT:
                return "there is no such socket: start the server, or look at its path";
        case -EMFILE:
        case -ENFILE:
                return "see nofile";
        case -EAGAIN:
                return "the server's queue of new connections is full";
        default:
                return "look at the network between here and there";
        }
}

const struct address *tcp_check(
        struct report *report, const struct addresses *addresses, unsigned timeout_ms)
{
        const struct address *first = NULL;
        int errors[ADDRESSES_MAX];
        double times[ADDRESSES_MAX];

        for (size_t i = 0; i < addresses->count; i++) {
                uint64_t begun_ns = clock_now_ns();
                int fd = tcp_connect(addresses->list + i, timeout_ms);

                times[i] = elapsed_ms(begun_ns);
                errors[i] = fd < 0 ? fd : 0;
                if (fd >= 0)
                        close(fd);
                if (fd >= 0 && !first)
                        first = addresses->list + i;
        }
        /* Clients go on to the next address: one that works is enough. */
        for (size_t i = 0; i < addresses->count; i++) {
                const char *topic = addresses->list[i].text;

                if (errors[i] == 0)
                        report_ok(report, topic, "connected in %.1f ms", times[i]);
                else
                        (first ? report_warn : report_fail)(report, topic, advice_of(errors[i]),
                                "%s (%.1f ms)", strerror(-errors[i]), times[i]);
        }
        return first;
}
