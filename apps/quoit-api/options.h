/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

#include "secure.h"

struct options {
        const char *host;
        unsigned port;
        unsigned rings;
        unsigned workers; /* 0: handlers run on the rings */
        unsigned handshake_threads;
        struct secure_options secure;
        const char *access_log; /* file, "-" for standard output; NULL: none */
        bool access_log_json;
        bool health; /* serve grpc.health.v1.Health too */
};

/* From the environment, then from the command line; prints what --help and --version ask for, or what is wrong, and exits. */
void options_parse(struct options *options, int argc, char **argv);
