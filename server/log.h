/* SPDX-License-Identifier: MIT */
#pragma once

/* Lines for the log of a server's user: link/log.h. */

#include <stdint.h>

#include <quoit/log.h>

struct quoit_server;

/* As log_write(). From any of the server's threads. */
void server_log(struct quoit_server *server, quoit_log_level level, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

/* As log_write_peer(): at most `peer_log_lines_per_second`. */
void server_log_peer(struct quoit_server *server, quoit_log_level level, uint64_t now_ns,
        const char *format, ...) __attribute__((format(printf, 4, 5)));
