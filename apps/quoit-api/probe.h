/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * quoit-api --health-check: asks a server's grpc.health.v1.Health, for docker's HEALTHCHECK and Kubernetes' exec probes.
 */

#include <stdbool.h>

#include <quoit/client.h>

struct options;

struct probe_options {
        bool is_wanted; /* instead of serving */
        const char *target; /* NULL: the server that the other options make */
        const char *service; /* "": the whole server */
        unsigned timeout_ms; /* for all of it */
        bool uses_tls; /* also where @tls has something */
        quoit_channel_tls tls;
};

/* Returns the exit status: success if it serves, else a line says why not. */
int probe(const struct options *options);
