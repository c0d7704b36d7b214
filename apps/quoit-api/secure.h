/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

#include <quoit/tls.h>

#define CERTIFICATES_MAX 32

/* The command line's options for TLS. */
struct secure_options {
        const char *certificate_files[CERTIFICATES_MAX];
        const char *key_files[CERTIFICATES_MAX]; /* one for each */
        unsigned certificate_count; /* 0: no TLS */
        unsigned key_count;
        int port; /* of a separate TLS listener; -1: the main listener uses TLS */
        bool client_optional; /* clients need not show a certificate */
        quoit_tls_options tls;
};

/*
 * Reads the files, and again at each SIGHUP: call it before hangup_start(). NULL: it failed, and the error was logged.
 */
quoit_tls *secure_begin(const struct secure_options *options);
