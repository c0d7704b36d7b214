/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * --health-check: asks a server's grpc.health.v1.Health, for docker's HEALTHCHECK and Kubernetes' exec probes.
 */

#include <stdbool.h>

#include <quoit/client.h>

#include "option_kinds.h"

struct probe_options {
        bool is_wanted; /* instead of serving */
        const char *target; /* NULL: the server that the other options make */
        const char *service; /* "": the whole server */
        unsigned timeout_ms; /* for all of it */
        bool uses_tls; /* also where @tls has something */
        quoit_channel_tls tls;
};

#define PROBE_OPTIONS_INIT { .service = "", .timeout_ms = 5000 }

/* Of a struct probe_options. */
extern const struct option_entry probe_options[];

/* The server that the program's other options make. */
struct probe_server {
        const struct option_list *addresses; /* of --listen, or none: then @host and @port */
        const char *host;
        int port;
        bool uses_tls;
};

/* Returns the exit status: success if it serves, else a line says why not. */
int probe(const struct probe_options *options, const struct probe_server *server);
