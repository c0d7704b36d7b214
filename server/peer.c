/* SPDX-License-Identifier: MIT */
#include "server/peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

static void describe_v6(const struct sockaddr_in6 *address, char *text, size_t size)
{
        char host[INET6_ADDRSTRLEN] = "";
        unsigned port = ntohs(address->sin6_port);

        if (IN6_IS_ADDR_V4MAPPED(&address->sin6_addr)) {
                inet_ntop(AF_INET, address->sin6_addr.s6_addr + 12, host, sizeof(host));
                snprintf(text, size, "ipv4:%s:%u", host, port);
        } else {
                inet_ntop(AF_INET6, &address->sin6_addr, host, sizeof(host));
                snprintf(text, size, "ipv6:[%s]:%u", host, port);
        }
}

static void describe_v4(const struct sockaddr_in *address, char *text, size_t size)
{
        char host[INET_ADDRSTRLEN] = "";

        inet_ntop(AF_INET, &address->sin_addr, host, sizeof(host));
        snprintf(text, size, "ipv4:%s:%u", host, (unsigned)ntohs(address->sin_port));
}

void peer_describe(int fd, char *text, size_t size)
{
        struct sockaddr_storage address = { 0 };
        socklen_t length = sizeof(address);

        if (getpeername(fd, (struct sockaddr *)&address, &length) < 0)
                snprintf(text, size, "unknown");
        else if (address.ss_family == AF_INET)
                describe_v4((struct sockaddr_in *)&address, text, size);
        else if (address.ss_family == AF_INET6)
                describe_v6((struct sockaddr_in6 *)&address, text, size);
        else
                snprintf(text, size, "unix:");
}
