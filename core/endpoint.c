/* SPDX-License-Identifier: MIT */
#include "core/endpoint.h"

/*
 * The address of a peer that has reset the connection: getpeername() finds no peer any more, but this option still tells. It
 * must not be asked for more bytes than the address has, and does not say how many these are.
 */
static bool get_former_peer(int fd, struct endpoint *ret_endpoint)
{
        static const socklen_t sizes[] = { sizeof(struct sockaddr_in6),
                sizeof(struct sockaddr_in) };

        for (unsigned i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
                *ret_endpoint = (struct endpoint){ .bytes = sizes[i] };
                if (getsockopt(fd, SOL_SOCKET, SO_PEERNAME, &ret_endpoint->any,
                            &ret_endpoint->bytes) == 0)
                        return true;
        }
        return false;
}

void endpoint_of_peer(int fd, struct endpoint *ret_endpoint)
{
        *ret_endpoint = (struct endpoint){ .bytes = ENDPOINT_BYTES_MAX };
        if (getpeername(fd, &ret_endpoint->any, &ret_endpoint->bytes) < 0 &&
                !get_former_peer(fd, ret_endpoint))
                *ret_endpoint = (struct endpoint){ 0 };
}

void endpoint_of_socket(int fd, struct endpoint *ret_endpoint)
{
        *ret_endpoint = (struct endpoint){ .bytes = ENDPOINT_BYTES_MAX };
        if (getsockname(fd, &ret_endpoint->any, &ret_endpoint->bytes) < 0)
                *ret_endpoint = (struct endpoint){ 0 };
}

bool endpoint_get_credentials(int fd, struct endpoint_credentials *ret_credentials)
{
        struct ucred credentials;
        socklen_t bytes = sizeof(credentials);

        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &bytes) < 0)
                return false;
        *ret_credentials = (struct endpoint_credentials){
                .pid = credentials.pid,
                .uid = credentials.uid,
                .gid = credentials.gid,
        };
        return true;
}

bool endpoint_get_interface(uint32_t index, char ret_name[IF_NAMESIZE])
{
        return if_indextoname(index, ret_name) != NULL;
}

uint32_t endpoint_find_interface(const char *name)
{
        return if_nametoindex(name);
}

uint16_t endpoint_port(const struct endpoint *endpoint)
{
        switch (endpoint->any.sa_family) {
        case AF_INET:
                return ntohs(endpoint->v4.sin_port);
        case AF_INET6:
                return ntohs(endpoint->v6.sin6_port);
        default:
                return 0;
        }
}
