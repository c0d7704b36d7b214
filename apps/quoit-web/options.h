/* SPDX-License-Identifier: MIT */
#pragma once

#include <quoit/engine.h>

#include "../common/access.h"
#include "../common/http.h"
#include "../common/option_kinds.h"
#include "../common/probe.h"
#include "../common/sandbox.h"
#include "../common/secure.h"
#include "../common/trace.h"

struct options {
        const char *host;
        int port;
        struct option_list addresses; /* in place of these */
        unsigned rings;
        quoit_engine engine;
        unsigned drain_ms; /* 0: the default */
        const char *backend; /* the target of its channel */
        const char *backend_host; /* in place of that */
        int backend_port;
        const char *backend_ca; /* authorities of its certificate; NULL: without TLS */
        const char *
                backend_url; /* where browsers find it; NULL: on the page's host, at @backend_port */
        struct secure_options secure;
        struct http_options http;
        struct probe_options probe;
        struct access_options access;
        struct trace_options trace;
        struct sandbox_options sandbox;
};

/*
 * From the command line, the environment and the file of --config (settings.h). Prints the text of --help or --version, or an error, and
 * exits.
 */
void options_read(struct options *options, int argc, char **argv);
