/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

#include <quoit/limits.h>
#include <quoit/server.h>

#include "../common/access.h"
#include "../common/http.h"
#include "../common/option_kinds.h"
#include "../common/probe.h"
#include "../common/sandbox.h"
#include "../common/secure.h"
#include "../common/trace.h"

#define ADDRESSES_MAX 16

struct options {
        const char *host;
        int port;
        struct option_list addresses; /* in place of these, at most ADDRESSES_MAX */
        unsigned unix_mode; /* 0: as the umask has it */
        unsigned rings;
        quoit_engine engine;
        bool http2_only; /* no HTTP/1.1, but for operators */
        unsigned workers; /* 0: handlers run on the rings */
        struct secure_options secure;
        int tls_port; /* of a separate TLS listener; -1: the main listener uses TLS */
        unsigned handshake_threads;
        struct http_options http;
        struct option_list cors_origins;
        bool cors_credentials;
        quoit_limits limits; /* 0: the default */
        unsigned restart_drain_ms; /* limits.drain_ms after a successor has taken over */
        unsigned lame_duck_ms; /* 0: none */
        int reload_pid; /* 0: serve */
        struct probe_options probe;
        struct access_options access;
        struct trace_options trace;
        struct sandbox_options sandbox;
        bool health; /* serve grpc.health.v1.Health too */
        bool reflection; /* and grpc.reflection */
        bool channelz; /* and grpc.channelz.v1.Channelz */
};

/*
 * From the command line, the environment and the file of --config (settings.h). Prints the text of --help or --version, or an error, and
 * exits.
 */
void options_read(struct options *options, int argc, char **argv);
