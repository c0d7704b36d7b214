/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A certificate of "localhost" that vouches for itself, in files that have no names in a folder, and a client in memory
 * that talks to a server's struct tls: for tests and fuzzing.
 */

#include <stdbool.h>

#include <quoit/tls.h>

#include "transport/tls.h"

struct pki {
        X509 *x509;
        EVP_PKEY *key;
        int certificate_fd; /* memfds, */
        int key_fd;
        char certificate_file[32]; /* and what opens them */
        char key_file[32];
};

/* @names: its subjectAltName as x509v3_config(5) has it: "DNS:localhost". Asserts that all goes well. */
void pki_init(struct pki *pki, const char *names);
void pki_deinit(struct pki *pki);

/* Rules with its certificate. */
quoit_tls *pki_rules(const struct pki *pki, const quoit_tls_options *options);

/* A client that offers h2, with this certificate where it is asked for one; reads and writes memory BIOs. */
SSL *pki_client(const struct pki *pki);

/* What the client has to send: up to @size bytes; how many. */
size_t pki_client_take(SSL *client, uint8_t *data, size_t size);

/* Gives the client what the server has to send. */
void pki_client_give(SSL *client, struct tls *tls);
