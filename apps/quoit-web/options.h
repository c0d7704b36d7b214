/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <quoit/engine.h>

#define ADDRESSES_MAX 16

struct options {
        const char *addresses[ADDRESSES_MAX]; /* that it listens on */
        unsigned address_count;
        const char *tls_cert, *tls_key; /* both, or NULL: without TLS */
        const char *backend; /* the target of its channel */
        const char *backend_ca; /* authorities of its certificate; NULL: without TLS */
        const char *
                backend_url; /* where browsers find it; NULL: on the page's host, at @backend_port */
        unsigned backend_port;
        unsigned rings;
        quoit_engine engine;
        unsigned drain_ms; /* 0: the default */
};

/* From the command line, then from the environment. Prints the text of --help or --version, or an error, and exits. */
void options_parse(struct options *options, int argc, char **argv);
