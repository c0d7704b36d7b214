/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The files of a server's TLS: whether they can be used is known before the first client connects.
 */

#include <openssl/x509.h>

#include "transport/tls_problem.h"

/* A certificate of ours. */
struct tls_certificate {
        X509 *leaf;
        STACK_OF(X509) * chain; /* what leads from it to a root, that one left out mostly */
        EVP_PKEY *key;
};

/*
 * Reads and checks. 0; -EINVAL: no PEM, or the key is another's; -EKEYEXPIRED: over, or not yet begun; a negative
 * errno of opening the file; -ENOMEM.
 */
int tls_certificate_load(const char *certificate_file, const char *key_file,
        struct tls_certificate *ret_certificate, struct tls_problem *problem);

/* Takes zeroed memory. */
void tls_certificate_deinit(struct tls_certificate *certificate);
