/* SPDX-License-Identifier: MIT */
#pragma once

/* Which servers a client trusts. */

#include <openssl/ssl.h>

#include "transport/tls_problem.h"

/*
 * Has servers checked by the certificates in @ca_file, PEM; NULL: by those that the system trusts. 0, -EINVAL, a negative errno of
 * reading the file.
 */
int tls_servers_attach(const char *ca_file, SSL_CTX *ssl, struct tls_problem *problem);

/*
 * Has the server at the other end of @ssl checked for @name, a DNS name or an IP address, and tells it the name (SNI, RFC 6066: not
 * an address). 0, -EINVAL: no such name can be in a certificate; -ENOMEM.
 */
int tls_servers_expect(SSL *ssl, const char *name);
