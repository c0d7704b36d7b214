/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <quoit/engine.h>

/* Of rpc_soak and channel_soak. */
struct soak_options {
        unsigned iterations;
        unsigned failures_max; /* iterations that may fail */
        unsigned latency_ms_max; /* of one iteration; above: it has failed */
        unsigned timeout_s; /* for all of them */
        unsigned interval_ms; /* from the begin of one to the begin of the next, at least */
        unsigned request_bytes;
        unsigned reply_bytes;
};

struct options {
        const char *host;
        uint16_t port;
        const char *host_override; /* NULL: none */
        const char *test_case;
        bool use_tls;
        bool use_test_ca; /* then @ca_file is set */
        const char *ca_file;
        char *additional_metadata; /* NULL: none */
        quoit_engine engine;
        struct soak_options soak;
};

/* From the command line. Prints the text of --help, or an error, and exits. */
void options_parse(struct options *options, int argc, char **argv);
