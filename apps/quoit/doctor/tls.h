/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

#include "report.h"
#include "wire.h"

struct tls_flags {
        const char *ca_file, *certificate_file, *key_file; /* each may be NULL */
        const char *name; /* that the server's certificate must be for: a name or an address */
        bool is_insecure; /* whoever the server is: what is wrong with its certificate is no failure */
};

/*
 * Makes a handshake on @wire, whose fd is connected, and says what it is, who the server is and why it is not trusted. 0: @wire->ssl is
 * set, and belongs to wire_close(). A negative errno: there is no TLS there; what was wrong was said unless @is_quiet.
 */
int tls_check(
        struct report *report, struct wire *wire, const struct tls_flags *flags, bool is_quiet);
