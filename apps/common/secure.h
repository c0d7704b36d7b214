/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

#include <quoit/tls.h>

#include "option_kinds.h"

struct secure_options {
        struct option_list certificates; /* files; none: no TLS */
        struct option_list keys; /* one for each */
        bool client_optional; /* clients need not show a certificate */
        quoit_tls_options tls;
};

/* Of a struct secure_options. */
extern const struct option_entry secure_options[];

/* Sets the rest, when all options are set. Ends the program, with a line, for what does not go together. */
void secure_complete(struct secure_options *options);

/*
 * Reads the files, and again at each SIGHUP: call it before hangup_start(). NULL: it failed, and the error was logged.
 */
quoit_tls *secure_begin(const struct secure_options *options);
