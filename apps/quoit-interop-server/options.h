/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <quoit/server.h>

struct options {
        uint16_t port;
        unsigned rings;
        quoit_engine engine;
        bool use_tls;
        const char *tls_cert_file; /* these two are set if use_tls is */
        const char *tls_key_file;
        const char *tls_client_ca_file; /* NULL: clients show no certificate */
};

/* From the command line. Prints the text of --help, or an error, and exits. */
void options_parse(struct options *options, int argc, char **argv);
