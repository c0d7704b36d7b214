/* SPDX-License-Identifier: MIT */
#pragma once

/* The CA certificates that a peer's own is checked by. */

#include <openssl/ssl.h>

#include "transport/tls_problem.h"

/*
 * Has @ssl trust the certificates in @file, PEM. @what names the file in the problem. *@ret_names, if not NULL, are their subjects, the
 * caller's. 0, -EINVAL, a negative errno of reading the file.
 */
int tls_ca_load(const char *what, const char *file, SSL_CTX *ssl, STACK_OF(X509_NAME) * *ret_names,
        struct tls_problem *problem);
