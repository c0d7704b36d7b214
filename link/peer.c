/* SPDX-License-Identifier: MIT */
#include "link/peer.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "core/endpoint.h"

#define ZONE_BYTES (sizeof("%25") + IF_NAMESIZE)

static void describe_v4(const struct sockaddr_in *address, char text[PEER_ADDRESS_BYTES])
{
        char host[INET_ADDRSTRLEN] = "";

        inet_ntop(AF_INET, &address->sin_addr, host, sizeof(host));
        snprintf(text, PEER_ADDRESS_BYTES, "ipv4:%s:%u", host, (unsigned)ntohs(address->sin_port));
}

/*
 * Whether an interface's name can stand in an address as it is: RFC 6874's ZoneID without escapes. Interfaces can have any
 * name without '/', ':' and white space.
 */
static bool is_plain_zone(const char *name)
{
        return name[strspn(name,
                       "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~")] ==
               '\0';
}

/*
 * "%25" and the interface of a link-local address: its name, or its number if the name is unknown or not plain. Other
 * addresses have no zone.
 */
static void describe_zone(uint32_t index, char text[ZONE_BYTES])
{
        char name[IF_NAMESIZE];

        if (index == 0)
                *text = '\0';
        else if (endpoint_get_interface(index, name) && is_plain_zone(name))
                snprintf(text, ZONE_BYTES, "%%25%s", name);
        else
                snprintf(text, ZONE_BYTES, "%%25%u", (unsigned)index);
}

static void describe_v6(const struct sockaddr_in6 *address, char text[PEER_ADDRESS_BYTES])
{
        char host[INET6_ADDRSTRLEN] = "", zone[ZONE_BYTES];
        unsigned port = ntohs(address->sin6_port);

        if (IN6_IS_ADDR_V4MAPPED(&address->sin6_addr)) {
                inet_ntop(AF_INET, address->sin6_addr.s6_addr + 12, host, sizeof(host));
                snprintf(text, PEER_ADDRESS_BYTES, "ipv4:%s:%u", host, port);
        } else {
                inet_ntop(AF_INET6, &address->sin6_addr, host, sizeof(host));
                describe_zone(address->sin6_scope_id, zone);
                snprintf(text, PEER_ADDRESS_BYTES, "ipv6:[%s%s]:%u", host, zone, port);
        }
}

/* A peer can bind its socket to any bytes, and they go into logs: %XX for all that is not plain ASCII. */
static void append_escaped(char text[PEER_ADDRESS_BYTES], const char *name, size_t size)
{
        size_t at = strlen(text);

        for (size_t i = 0; i < size && at + sizeof("%XX") <= PEER_ADDRESS_BYTES; i++) {
                unsigned char byte = (unsigned char)name[i];

                if (byte > ' ' && byte < 0x7f && byte != '%')
                        text[at++] = name[i];
                else
                        at += (size_t)snprintf(text + at, sizeof("%XX"), "%%%02X", byte);
        }
        text[at] = '\0';
}

/* Most clients bind no name: then there is none. */
static void describe_unix(
        const struct sockaddr_un *address, socklen_t length, char text[PEER_ADDRESS_BYTES])
{
        size_t size = length - offsetof(struct sockaddr_un, sun_path);

        if (length > offsetof(struct sockaddr_un, sun_path) && address->sun_path[0] == '\0') {
                strcpy(text, "unix-abstract:");
                append_escaped(text, address->sun_path + 1, size - 1);
                return;
        }
        strcpy(text, "unix:");
        if (length > offsetof(struct sockaddr_un, sun_path))
                append_escaped(text, address->sun_path, strnlen(address->sun_path, size));
}

static void describe_vsock(const struct sockaddr_vm *address, char text[PEER_ADDRESS_BYTES])
{
        snprintf(text, PEER_ADDRESS_BYTES, "vsock:%u:%u", address->svm_cid, address->svm_port);
}

void peer_describe(const struct endpoint *endpoint, char text[PEER_ADDRESS_BYTES])
{
        switch (endpoint->any.sa_family) {
        case AF_INET:
                describe_v4(&endpoint->v4, text);
                break;
        case AF_INET6:
                describe_v6(&endpoint->v6, text);
                break;
        case AF_UNIX:
                describe_unix(&endpoint->local, endpoint->bytes, text);
                break;
        case AF_VSOCK:
                describe_vsock(&endpoint->vm, text);
                break;
        default:
                strcpy(text, "unknown");
        }
}

static bool get_credentials(int fd, quoit_peer_credentials *ret_credentials)
{
        struct endpoint_credentials credentials;

        if (!endpoint_get_credentials(fd, &credentials))
                return false;
        *ret_credentials = (quoit_peer_credentials){
                .pid = credentials.pid,
                .uid = credentials.uid,
                .gid = credentials.gid,
        };
        return true;
}

void peer_identify(int fd, const struct endpoint *endpoint, struct peer *ret_peer)
{
        struct endpoint ours;

        peer_describe(endpoint, ret_peer->address);
        endpoint_of_socket(fd, &ours);
        peer_describe(&ours, ret_peer->local);
        /* TCP sockets have credentials too, of nobody */
        ret_peer->has_credentials =
                ours.any.sa_family == AF_UNIX && get_credentials(fd, &ret_peer->credentials);
}
