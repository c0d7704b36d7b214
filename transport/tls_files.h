/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The files of a server's TLS. They are checked before the first client connects.
 */

#include <openssl/x509.h>

#include "transport/tls_problem.h"

/* A certificate of ours. */
struct tls_certificate {
        X509 *leaf;
        STACK_OF(X509) * chain; /* from it towards a root, mostly without the root */
        EVP_PKEY *key;
};

/*
 * Reads and checks. 0; -EINVAL: not PEM, or not the key of this certificate; -EKEYEXPIRED: expired, or not valid yet; a
 * negative errno of opening the file; -ENOMEM.
 */
int tls_certificate_load(const char *certificate_file, const char *key_file,
        struct tls_certificate *ret_certificate, struct tls_problem *problem);

/* Takes zeroed memory. */
void tls_certificate_deinit(struct tls_certificate *certificate);
