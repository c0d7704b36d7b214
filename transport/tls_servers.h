/* SPDX-License-Identifier: MIT */
#pragma once

/* Which servers a client trusts. */

#include <stdbool.h>

#include <openssl/ssl.h>

#include "transport/tls_problem.h"

/*
 * Sets up @ssl to verify servers by the certificates in @ca_file, PEM; NULL: by those that the system trusts. Not @verifies: they are read,
 * and any server will do. 0, -EINVAL, a negative errno of reading the file.
 */
int tls_servers_attach(
        const char *ca_file, bool verifies, SSL_CTX *ssl, struct tls_problem *problem);

/*
 * Sets up @ssl to accept only a server with a certificate for @name, a DNS name or an IP address, and to send a DNS name as SNI
 * (RFC 6066). 0; -EINVAL: @name is empty or too long; -ENOMEM.
 */
int tls_servers_expect(SSL *ssl, const char *name);
