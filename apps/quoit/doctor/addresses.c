/* SPDX-License-Identifier: MIT */
#include "addresses.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

void addresses_add(struct addresses *addresses, const struct sockaddr *bytes, uint16_t port)
{
        struct address *address = addresses->list + addresses->count;
        char text[INET6_ADDRSTRLEN];

        if (addresses->count == ADDRESSES_MAX)
                return;
        *address = (struct address){ 0 };
        if (bytes->sa_family == AF_INET) {
                struct sockaddr_in *v4 = (struct sockaddr_in *)&address->bytes;

                memcpy(v4, bytes, sizeof(*v4));
                v4->sin_port = htons(port);
                address->size = sizeof(*v4);
                inet_ntop(AF_INET, &v4->sin_addr, text, sizeof(text));
                snprintf(address->text, sizeof(address->text), "%s:%u", text, port);
        } else if (bytes->sa_family == AF_INET6) {
                struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&address->bytes;

                memcpy(v6, bytes, sizeof(*v6));
                v6->sin6_port = htons(port);
                address->size = sizeof(*v6);
                inet_ntop(AF_INET6, &v6->sin6_addr, text, sizeof(text));
                snprintf(address->text, sizeof(address->text), "[%s]:%u", text, port);
        } else {
                return;
        }
        addresses->count++;
}

static void add_path(struct addresses *addresses, const char *path)
{
        struct address *address = addresses->list + addresses->count;
        struct sockaddr_un *socket_address = (struct sockaddr_un *)&address->bytes;

        *address = (struct address){ .size = sizeof(*socket_address) };
        socket_address->sun_family = AF_UNIX;
        memcpy(socket_address->sun_path, path, strlen(path) + 1);
        snprintf(address->text, sizeof(address->text), "%s", path);
        addresses->count++;
}

bool addresses_add_place(struct addresses *addresses, const struct place *place)
{
        struct sockaddr_in v4 = { .sin_family = AF_INET };
        struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };

        if (place->kind == PLACE_UNIX)
                add_path(addresses, place->path);
        else if (inet_pton(AF_INET, place->host, &v4.sin_addr) == 1)
                addresses_add(addresses, (const struct sockaddr *)&v4, place->port);
        else if (inet_pton(AF_INET6, place->host, &v6.sin6_addr) == 1)
                addresses_add(addresses, (const struct sockaddr *)&v6, place->port);
        else
                return false;
        return true;
}
