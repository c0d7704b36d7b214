/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdint.h>

enum address_kind {
        ADDRESS_TCP, /* HOST:PORT, [IPV6]:PORT, :PORT, *:PORT, ipv4:ADDRESS:PORT, ipv6:[ADDRESS]:PORT */
        ADDRESS_UNIX, /* unix:PATH, unix:///PATH */
        ADDRESS_UNIX_ABSTRACT, /* unix-abstract:NAME */
        ADDRESS_VSOCK, /* vsock:CID:PORT, vsock:any:PORT */
        ADDRESS_FD, /* fd:N */
        ADDRESS_SYSTEMD, /* systemd, systemd:NAME */
};

/* Where to listen, in parts. Members that its kind does not have are zero. */
struct address {
        enum address_kind kind;
        char host[256]; /* of TCP, without brackets; "" for all addresses */
        char name
                [512]; /* a unix path, an abstract name (107 times %XX fits), systemd's; "" for none */
        uint32_t port; /* of TCP; of vsock, where it has 32 bits */
        uint32_t cid;
        int fd;
};

/*
 * Parses what quoit_server_listen() takes. ipv4, ipv6, unix, unix-abstract and vsock are spelled as in gRPC's naming
 * document (grpc/doc/naming.md): URIs, in which %XX is a byte. Pure. 0; -EINVAL; -ERANGE: only a number is too large.
 */
int address_parse(const char *text, struct address *ret_address);

/* What is wrong with @text, for which address_parse() has returned @error. Static. */
const char *address_problem(const char *text, int error);
