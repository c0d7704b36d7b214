/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

#include <quoit/limits.h>
#include <quoit/server.h>

#include "probe.h"
#include "secure.h"

#define ADDRESSES_MAX 16
#define CORS_ORIGINS_MAX 64

struct options {
        const char *host;
        int port;
        const char *addresses[ADDRESSES_MAX]; /* in place of these */
        unsigned address_count;
        const char *admin; /* an address for operators; NULL: none */
        bool metrics; /* /metrics on the others too */
        const char *cors_origins[CORS_ORIGINS_MAX];
        unsigned cors_origin_count;
        bool cors_credentials;
        unsigned unix_mode; /* 0: as the umask has it */
        unsigned rings;
        quoit_engine engine;
        unsigned workers; /* 0: handlers run on the rings */
        unsigned handshake_threads;
        bool http2_only; /* no HTTP/1.1 */
        struct secure_options secure;
        quoit_limits limits; /* 0: the default */
        unsigned restart_drain_ms; /* limits.drain_ms after a successor has taken over */
        unsigned lame_duck_ms; /* 0: none */
        int reload_pid; /* 0: serve */
        struct probe_options probe;
        const char *access_log; /* file, "-" for standard output; NULL: none */
        bool access_log_json;
        const char *otlp_endpoint; /* NULL: as OpenTelemetry's environment says */
        bool health; /* serve grpc.health.v1.Health too */
        bool reflection; /* and grpc.reflection */
        bool channelz; /* and grpc.channelz.v1.Channelz */
};

/*
 * From the command line, the environment and the file of --config (option.h). Prints the text of --help or --version, or an error, and
 * exits.
 */
void options_read(struct options *options, int argc, char **argv);
