/* SPDX-License-Identifier: MIT */
#pragma once

/* The two ends of a connection: addresses and credentials. Only these functions ask the kernel for them. */

#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

#include <linux/vm_sockets.h>

/* The address of one end, of the families that core/bind.h listens on. */
struct endpoint {
        socklen_t bytes; /* 0: not known; then the family is AF_UNSPEC */
        union {
                struct sockaddr any;
                struct sockaddr_in v4;
                struct sockaddr_in6 v6;
                struct sockaddr_un local;
                struct sockaddr_vm vm;
        };
};

#define ENDPOINT_BYTES_MAX ((socklen_t)(sizeof(struct endpoint) - offsetof(struct endpoint, any)))

/* The process that made the connection, at that time. */
struct endpoint_credentials {
        pid_t pid;
        uid_t uid;
        gid_t gid;
};

/* The peer's address, also if the peer has gone already. */
void endpoint_of_peer(int fd, struct endpoint *ret_endpoint);

/* Our own address. @fd can be a listening socket. */
void endpoint_of_socket(int fd, struct endpoint *ret_endpoint);

/* Credentials of a unix socket's peer. False: there are none. */
bool endpoint_get_credentials(int fd, struct endpoint_credentials *ret_credentials);

/* The name of a network interface by its number. False: no such interface. */
bool endpoint_get_interface(uint32_t index, char ret_name[IF_NAMESIZE]);

/* The number of a network interface by its name; 0: no such interface. */
uint32_t endpoint_find_interface(const char *name);

/* The TCP port; 0 where it is not a TCP socket. */
uint16_t endpoint_port(const struct endpoint *endpoint);
