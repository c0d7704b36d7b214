/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Whether clients must show a certificate, and which authorities may have signed it.
 */

#include <openssl/ssl.h>

#include <quoit/tls.h>

#include "transport/tls_problem.h"

/* Sets up @ssl to ask clients as @options say. 0; -EINVAL; a negative errno of reading the file; -ENOMEM. */
int tls_clients_attach(const quoit_tls_options *options, SSL_CTX *ssl, struct tls_problem *problem);
