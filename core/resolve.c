/* SPDX-License-Identifier: MIT */
#include "core/resolve.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

static unsigned take(
        const struct addrinfo *found, struct endpoint *ret_addresses, unsigned count_max)
{
        unsigned count = 0;

        for (; found && count < count_max; found = found->ai_next) {
                if (found->ai_addrlen > ENDPOINT_BYTES_MAX)
                        continue;
                memset(ret_addresses + count, 0, sizeof(*ret_addresses));
                memcpy(&ret_addresses[count].any, found->ai_addr, found->ai_addrlen);
                ret_addresses[count++].bytes = found->ai_addrlen;
        }
        return count;
}

unsigned resolve_tcp(const char *host, uint16_t port, struct endpoint *ret_addresses,
        unsigned count_max, char *problem, size_t problem_bytes)
{
        const struct addrinfo wanted = { .ai_socktype = SOCK_STREAM };
        struct addrinfo *found;
        char service[8];
        unsigned count;
        int r;

        snprintf(service, sizeof(service), "%u", port);
        r = getaddrinfo(host, service, &wanted, &found);
        if (r != 0) {
                snprintf(problem, problem_bytes, "%s",
                        r == EAI_SYSTEM ? strerror(errno) : gai_strerror(r));
                return 0;
        }
        count = take(found, ret_addresses, count_max);
        freeaddrinfo(found);
        if (count == 0)
                snprintf(problem, problem_bytes, "it has no address");
        return count;
}
