/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Listening sockets. Blocking calls (getaddrinfo), for start-up. */

struct bind_options {
        int backlog;      /* 0: 4096; the kernel caps it at net.core.somaxconn */
        bool reuse_port;  /* one socket a ring, the kernel spreads connections over them */
};

enum { BIND_FDS_MAX = 8 };

/*
 * Listens on every address that @host means: a numeric IPv4 or IPv6 address (with or without
 * brackets), a name ("localhost" is often two), "::" for everything, IPv4 included, NULL or "" the
 * same as "::" (or "0.0.0.0" where there is no IPv6). @port 0 takes a free one, the same on all
 * addresses. SO_REUSEADDR is set; accepted sockets inherit TCP_NODELAY; the descriptors are
 * close-on-exec. Returns how many descriptors are in @ret_fds (at least 1) or a negative errno:
 * -EADDRINUSE, -EACCES, -EADDRNOTAVAIL, -ENXIO when the name does not resolve. All or nothing.
 * @ret_port may be NULL.
 */
int bind_tcp(const char *host, uint16_t port, const struct bind_options *options,
        int ret_fds[BIND_FDS_MAX], uint16_t *ret_port);

/* Listens on a unix stream socket at @path; a stale socket there that nobody serves is replaced.
 * -ENAMETOOLONG, -EADDRINUSE when somebody does. The path is not removed at close. */
int bind_unix(const char *path, const struct bind_options *options, int *ret_fd);
