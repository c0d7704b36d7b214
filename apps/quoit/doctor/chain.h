/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

#include <openssl/ssl.h>

#include "report.h"

/*
 * After the handshake of @ssl: says of each certificate that the server has sent whose it is, who has signed it and how long it is
 * valid; whether the first is for @name (NULL: it is not asked); and whether the chain is trusted, and if not, why. @is_insecure: what is wrong is only a warning.
 */
void chain_check(struct report *report, SSL *ssl, const char *name, bool is_insecure);
