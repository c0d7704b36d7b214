/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * TLS for listeners (RFC 8446, RFC 5246, as RFC 9113 section 9.2 wants them for HTTP/2), by OpenSSL.
 *
 *      quoit_tls *tls = NULL;
 *      r = quoit_tls_new(NULL, &tls);
 *      r = quoit_tls_add_certificate(tls, "server.crt", "server.key");
 *      r = quoit_server_listen_tls(server, "0.0.0.0:443", tls, NULL);
 *      ...
 *      r = quoit_tls_reload(tls);              (files have been renewed; from any thread)
 *      quoit_tls_free(tls);                    (a server that listens with it goes on having it)
 *
 * A client must offer the protocol "h2" by ALPN (RFC 7301), as every gRPC client does; one that does
 * not is refused with the alert no_application_protocol. TLS 1.2 is held to what RFC 9113 section
 * 9.2.2 asks for: ephemeral keys and authenticated encryption, no renegotiation, no compression.
 *
 * Sessions are resumed by tickets (RFC 5077, RFC 8446 section 4.6.1): the server keeps nothing of them, every
 * ring takes them, and a reload keeps them valid unless it changes who is let in. Early data (0-RTT) is never taken.
 */

#include <stdbool.h>
#include <stdint.h>

#include <quoit/export.h>
#include <quoit/service.h>

QUOIT_BEGIN_DECLS

/* Certificates and rules that listeners share; opaque and counted by reference. */
typedef struct quoit_tls quoit_tls;

/* Whether clients show a certificate (mTLS); what one says is in <quoit/peer.h>. */
typedef enum quoit_tls_client_auth {
        QUOIT_TLS_CLIENT_AUTH_NONE,
        QUOIT_TLS_CLIENT_AUTH_REQUEST, /* may; one that client_ca_file does not vouch for ends the handshake */
        QUOIT_TLS_CLIENT_AUTH_REQUIRE, /* must */
} quoit_tls_client_auth;

/* The least version that is spoken. */
typedef enum quoit_tls_version {
        QUOIT_TLS_VERSION_DEFAULT, /* 1.2 */
        QUOIT_TLS_VERSION_1_2,
        QUOIT_TLS_VERSION_1_3,
} quoit_tls_version;

/* Zero (or NULL) in a member takes the default. */
typedef struct quoit_tls_options {
        quoit_tls_version version_min; /* 1.2 */
        quoit_tls_client_auth client_auth; /* none */
        const char *
                client_ca_file; /* PEM: who vouches for clients' certificates. Needed with client_auth */
        const char *
                cipher_list; /* TLS 1.2, as openssl-ciphers(1) has it. ECDHE with AES-GCM or ChaCha20 */
        const char *cipher_suites; /* TLS 1.3. AES-128-GCM, AES-256-GCM, ChaCha20 */
        const char *groups; /* for the exchange of keys. X25519:P-256:P-384 */
        /*
         * 80 secret bytes that tickets are sealed with, for several processes that take each other's, or one
         * that is started again: "openssl rand -out FILE 80". Read again by quoit_tls_reload(); the key before
         * it opens tickets still. None: a key of the process's own, a new one every two hours and at reload.
         */
        const char *ticket_key_file;
        bool no_resumption; /* no tickets: each connection makes a full handshake */
} quoit_tls_options;

/*
 * Rules without a certificate yet, in *@ret_tls; @options (NULL: all defaults) are copied. 0, -ENOMEM.
 * What is wrong with them is told when they are put to use, by quoit_tls_add_certificate().
 */
QUOIT_API int quoit_tls_new(const quoit_tls_options *options, quoit_tls **ret_tls);

/* Gives up the caller's reference; servers that listen with it have their own. Takes NULL, returns NULL. */
QUOIT_API quoit_tls *quoit_tls_free(quoit_tls *tls);

/*
 * Adds a certificate: @certificate_file is PEM, the server's own first, then those that lead to the client's root;
 * @key_file its private key, PEM without a passphrase. Both are read now, and again by quoit_tls_reload().
 * A client is shown the one whose names (subjectAltName) have the name that it asks for (SNI, RFC 6066):
 * one that has it exactly before one with a wildcard, the first that was added where none has it.
 * From any thread, also while servers run. 0, or a negative errno and quoit_tls_problem() tells more: that of
 * the file that cannot be read; -EINVAL: bad options, no PEM, the key is another certificate's;
 * -EKEYEXPIRED: the certificate is over or not yet valid; -EKEYREJECTED: OpenSSL finds it too weak; -ENOMEM. The rules
 * are as before then.
 */
QUOIT_API int quoit_tls_add_certificate(
        quoit_tls *tls, const char *certificate_file, const char *key_file);

/*
 * Reads all files again: connections stay as they are, handshakes that begin later go by the new ones. If any
 * of them is bad, all the old ones stay in use. From any thread; waits for the disk. As quoit_tls_add_certificate().
 */
QUOIT_API int quoit_tls_reload(quoit_tls *tls);

/*
 * What went wrong in the last function on @tls that failed: one line with the file, what is wrong and what
 * to do; "" if nothing did. Owned by @tls, valid until the next function on it, of whatever thread: who reloads from
 * several has a lock of their own around both.
 */
QUOIT_API const char *quoit_tls_problem(const quoit_tls *tls);

/*
 * As quoit_server_listen(), with TLS: @server takes a reference to @tls and keeps it until it is freed. Plain
 * and TLS listeners may stand side by side. Handshakes run on threads of their own (`handshake_threads`
 * of quoit_server_options), so that none makes a ring wait. -EINVAL also where @tls has no certificate.
 */
QUOIT_API int quoit_server_listen_tls(
        quoit_server *server, const char *address, quoit_tls *tls, uint16_t *ret_port);

QUOIT_END_DECLS
