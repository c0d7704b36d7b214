/* SPDX-License-Identifier: MIT */
#pragma once

/* What a server says of itself by channelz, at one moment. */

#include <stdint.h>

#include "connection.h"
#include "metadata_flags.h"

/* The most servers and connections that are looked at; more are only counted. */
enum { TOP_SERVERS_MAX = 16, TOP_SOCKETS_MAX = 64 };

struct top_server {
        int64_t id;
        char name[64];
        int64_t started, succeeded, failed; /* calls */
        int64_t connections;
};

struct top_socket {
        int64_t id;
        char remote[64];
        int64_t started, succeeded, failed; /* streams */
        int64_t sent, received; /* messages */
};

struct top_sample {
        uint64_t taken_ns; /* CLOCK_MONOTONIC */
        struct top_server servers[TOP_SERVERS_MAX];
        size_t n_servers;
        struct top_socket sockets[TOP_SOCKETS_MAX];
        size_t n_sockets;
};

/* Asks the server, some calls in turn. EXIT_DONE; or an exit status, when all was said. */
int top_sample_take(struct connection *connection, const struct metadata_flags *metadata,
        struct top_sample *ret_sample);
