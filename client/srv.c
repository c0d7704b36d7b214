/* SPDX-License-Identifier: MIT */
#include "client/srv.h"

#include <string.h>

#define UNIT                                                                                       \
        (DNS_FAMILIES *                                                                            \
                DNS_ADDRESSES_MAX) /* so a weight can be shared by all addresses of a target */

const char *srv_domain(const char *name)
{
        const char *protocol = *name == '_' ? strchr(name, '.') : NULL;
        const char *end = protocol && protocol[1] == '_' ? strchr(protocol + 1, '.') : NULL;

        return end && end[1] ? end + 1 : name;
}

/* A weight of 0 is a very small one. */
static uint32_t weight_of(const struct dns_service *service)
{
        return service->weight > 0 ? service->weight * (uint32_t)UNIT : 1;
}

/* By chance one of these, in proportion to their weights. */
static unsigned choose(const struct dns_service *services, unsigned count, uint64_t number)
{
        uint64_t sum = 0;
        unsigned chosen = 0;

        for (unsigned i = 0; i < count; i++)
                sum += weight_of(services + i);
        number %= sum;
        while (number >= weight_of(services + chosen))
                number -= weight_of(services + chosen++);
        return chosen;
}

void srv_order(
        struct dns_service *services, unsigned count, uint64_t (*draw)(void *user), void *user)
{
        for (unsigned i = 0, end; i < count; i++) {
                struct dns_service chosen;
                unsigned at;

                for (end = i + 1; end < count && services[end].priority == services[i].priority;)
                        end++;
                at = i + choose(services + i, end - i, draw(user));
                chosen = services[at];
                memmove(services + i + 1, services + i, (at - i) * sizeof(*services));
                services[i] = chosen;
        }
}

uint32_t srv_share(const struct dns_service *service, unsigned address_count)
{
        uint32_t share = weight_of(service) / address_count;

        return share > 0 ? share : 1;
}
