/* SPDX-License-Identifier: MIT */
#pragma once

/* The addresses that the program listens on: those of the command line, each with its sockets. */

#include <quoit/quoit.h>

#include "options.h"
#include "predecessor.h"

#define DOORS_MAX (ADDRESSES_MAX + 3)

struct door {
        char *address; /* the command line's, on the heap */
        quoit_tls *tls; /* NULL: without TLS */
        bool is_admin; /* that of --admin */
        unsigned first; /* of the server's listeners */
        unsigned count;
};

struct doors {
        quoit_server *server;
        bool http2_only; /* but that of --admin */
        struct predecessor predecessor; /* link_fd -1: none */
        struct door of[DOORS_MAX];
        unsigned count;
};

/*
 * Listens on all addresses of @options, with the sockets of a predecessor where it had some. @tls: NULL where there is no
 * certificate. 0, or a negative errno, which quoit_server_problem() explains.
 */
int doors_open(struct doors *doors, const struct options *options, quoit_tls *tls);

/* Logs the addresses that it listens on. */
void doors_announce(const struct doors *doors);

void doors_deinit(struct doors *doors);
