/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Makes listening sockets of every kind, for core/listener.h: close-on-exec. For start-up: getaddrinfo() can block.
 */

struct bind_options {
        int backlog;      /* 0: 4096; the kernel caps it at net.core.somaxconn */
        bool reuse_port;  /* one socket a ring, the kernel spreads connections over them */
        mode_t unix_mode; /* of a unix path, set before anybody can connect; 0: as the umask has it */
};

static inline int bind_backlog(const struct bind_options *options)
{
        return options && options->backlog ? options->backlog : 4096;
}

enum { BIND_FDS_MAX = 8 };

/*
 * Listens on every address of @host: a numeric IPv4 or IPv6 address (with or without brackets; ::ffff:127.0.0.1 is 127.0.0.1),
 * a name ("localhost" often has two addresses), or "::" for all addresses, IPv4 included. NULL and "" mean "::" (or "0.0.0.0"
 * where there is no IPv6). @port 0 takes a free one, the same on all addresses. SO_REUSEADDR is set; accepted sockets inherit
 * TCP_NODELAY. Returns how many descriptors are in @ret_fds (at least 1) or a negative errno:
 * -EADDRINUSE, -EACCES, -EADDRNOTAVAIL, -ENXIO when the name does not resolve. All or nothing.
 * @ret_port may be NULL.
 */
int bind_tcp(const char *host, uint16_t port, const struct bind_options *options,
        int ret_fds[BIND_FDS_MAX], uint16_t *ret_port);

/*
 * Listens on a unix stream socket at @path; a stale socket that no process serves is replaced. -ENAMETOOLONG, -EADDRINUSE when
 * a process serves it, -EPERM and similar when it cannot be removed. Closing does not remove it.
 */
int bind_unix(const char *path, const struct bind_options *options, int *ret_fd);

/* Listens on the abstract unix socket @name (unix(7)), which has no file and ends with its last
 * descriptor. -ENAMETOOLONG, -EADDRINUSE. */
int bind_unix_abstract(const char *name, const struct bind_options *options, int *ret_fd);

/* Listens on @port of @cid (vsock(7)), VMADDR_CID_ANY for all of this machine's, VMADDR_PORT_ANY for a
 * free port. -EAFNOSUPPORT where the kernel has no vsock, -EADDRNOTAVAIL, -EADDRINUSE. */
int bind_vsock(uint32_t cid, uint32_t port, const struct bind_options *options, int *ret_fd);

/*
 * Prepares a socket that another program has bound, and this one inherited, for a listener. O_NONBLOCK is not changed.
 * 0; -EBADF: not open; -ENOTSOCK; -ESOCKTNOSUPPORT: not a stream socket;
 * -EAFNOSUPPORT: neither IP, unix nor vsock; -ENOTCONN: it does not listen. @fd stays the caller's.
 */
int bind_adopt(int fd);
