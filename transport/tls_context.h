/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The configuration for handshakes: an OpenSSL context for each certificate of a server, or the one of a client, made from files.
 * It does not change; a reload makes another one. It is reference-counted: a connection keeps the one that it began with.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include <openssl/ssl.h>

#include <quoit/tls.h>

#include "transport/tls_problem.h"
#include "transport/tls_sessions.h"
#include "transport/tls_tickets.h"

/* The two files of a certificate. */
struct tls_source {
        char *certificate_file;
        char *key_file;
};

/* The input for a context. The pointers are only read during tls_context_new(), except @tickets. */
struct tls_rules {
        const quoit_tls_options *options;
        const struct tls_source *sources;
        size_t source_count; /* at least one */
        struct tls_tickets *tickets; /* outlives every context */
};

/* The same for clients. */
struct tls_client_rules {
        const quoit_tls_options *options; /* only versions, ciphers and groups are used */
        const char
                *ca_file; /* PEM: the authorities for servers; NULL: those that the system trusts */
        bool no_verification; /* whoever they are */
        const struct tls_source
                *source; /* the client's certificate, if the server asks for one; NULL: none */
        unsigned sessions_max; /* that are kept to be resumed; 0: none */
};

struct tls_context {
        atomic_uint references;
        BIO_METHOD *pipe; /* between OpenSSL and our buffers: tls.c */
        struct tls_sessions sessions; /* a client's */
        size_t count;
        SSL_CTX *contexts[]; /* the first is the default; a client's is the only one */
};

/* With one reference. 0, or as quoit_tls_add_certificate(). */
int tls_context_new(const struct tls_rules *rules, struct tls_context **ret_context,
        struct tls_problem *problem);

/* For tls_init_client(): with one reference. 0, -EINVAL, -ENOMEM, or a negative errno of reading a file. */
int tls_context_new_client(const struct tls_client_rules *rules, struct tls_context **ret_context,
        struct tls_problem *problem);

struct tls_context *tls_context_ref(struct tls_context *context);

/* Any thread. Takes NULL. */
void tls_context_unref(struct tls_context *context);

/* The context whose certificate is for @name: exactly, else by a wildcard, else the first. */
SSL_CTX *tls_context_choose(const struct tls_context *context, const char *name);
