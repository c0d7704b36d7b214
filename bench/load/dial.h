/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

/* Where to connect to. */
struct dial {
        struct sockaddr_storage address;
        socklen_t address_bytes;
};

/* NULL, or an error about the name. */
const char *dial_resolve(struct dial *dial, const char *host, const char *port);

/* A connected, non-blocking socket with TCP_NODELAY, or a negative errno. Waits for it, 10 seconds
 * at most (-ETIMEDOUT). */
int dial_connect(const struct dial *dial);

/* Raises RLIMIT_NOFILE for this many sockets. False: it is not allowed. */
bool dial_allow_sockets(uint64_t count);
