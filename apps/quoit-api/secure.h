/* SPDX-License-Identifier: MIT */
#pragma once

#include <quoit/tls.h>

#define CERTIFICATES_MAX 32

/* What the command line says of TLS. */
struct secure_options {
        const char *certificate_files[CERTIFICATES_MAX];
        const char *key_files[CERTIFICATES_MAX]; /* one for each */
        unsigned certificate_count; /* 0: no TLS */
        unsigned key_count;
        int port; /* of a listener of its own; -1: the listener speaks TLS */
        quoit_tls_options tls;
};

/*
 * Reads the files, and does so again at each SIGHUP: call it before hangup_start(). NULL: a line was printed that says
 * what is wrong.
 */
quoit_tls *secure_begin(const struct secure_options *options);
