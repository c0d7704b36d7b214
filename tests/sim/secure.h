/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * TLS of a run: a server's certificate and clients that trust it. All signatures have the same size (Ed25519), so a seed is the
 * same run whatever keys OpenSSL makes.
 */

#include <stdbool.h>
#include <stdint.h>

#include <quoit/tls.h>

#include "transport/tls.h"

/* Called once in a process, and at its end. */
void secure_begin(void);
void secure_end(void);

/* The file that clients trust. */
const char *secure_ca_file(void);

/* For the server of a run, which frees it with quoit_tls_free(). */
quoit_tls *secure_rules(void);

/* A client, its ClientHello in `out`. */
void secure_client(struct tls *tls);
