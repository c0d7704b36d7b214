/* SPDX-License-Identifier: MIT */
#pragma once

/* A server's and a client's struct tls, joined in memory. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pki.h"
#include "transport/tls_config.h"

struct tls_pair {
        struct pki pki;
        quoit_tls *rules;
        struct tls server, client;
        struct tls_problem server_problem, client_problem;
        int server_r, client_r; /* of the last call */
        char server_read[64], client_read[64];
        size_t piece;
};

/* How a client is made; zero is a client that trusts the server's certificate and shows none. */
struct tls_how {
        const char *names; /* in the server's certificate; NULL: DNS:localhost */
        const char *name;  /* that the client expects; NULL: localhost */
        quoit_tls_options server, client;
        bool shows_certificate;
        bool trusts_others; /* and not this certificate */
        unsigned sessions_max;
        uint64_t place; /* of the server, as tls_resume() has it */
        size_t piece;
};

/* A client's context. */
struct tls_context *tls_pair_context(const struct pki *pki, const struct tls_how *how);

/* Both are set up, nothing is exchanged. */
struct tls_pair *tls_pair_new(const struct tls_how *how);
void tls_pair_free(struct tls_pair *pair);

/* A new connection in place of the one before, by the same contexts, but what of @how names a server. */
void tls_pair_reconnect(struct tls_pair *pair, const struct tls_how *how);

/* Goes on with what has come, to the end of it; what was read is appended to @text. */
int tls_pair_go_on(struct tls *tls, struct tls_problem *problem, char *text);

/* Both, until neither has anything to say. */
void tls_pair_run(struct tls_pair *pair);

void tls_pair_say(struct tls *tls, const char *text);

/* The handshake has succeeded, and each understands the other. */
void tls_pair_assert_talks(struct tls_pair *pair);
