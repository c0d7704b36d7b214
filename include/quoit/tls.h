/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * TLS for listeners (RFC 8446, RFC 5246, with the requirements of RFC 9113 section 9.2 for HTTP/2), by OpenSSL.
 *
 *      quoit_tls *tls = NULL;
 *      r = quoit_tls_new(NULL, &tls);
 *      r = quoit_tls_add_certificate(tls, "server.crt", "server.key");
 *      r = quoit_server_listen_tls(server, "0.0.0.0:443", tls, NULL);
 *      ...
 *      r = quoit_tls_reload(tls);              (files have been renewed; from any thread)
 *      quoit_tls_free(tls);                    (a server that listens with it keeps its reference)
 *
 * A client offers the protocol "h2" by ALPN (RFC 7301), as every gRPC client does, or "http/1.1", or nothing, which means the same. A
 * server that is `http2_only` refuses the latter two with the alert no_application_protocol. TLS 1.2 is restricted as RFC 9113
 * section 9.2.2 requires: ephemeral keys and authenticated encryption, no renegotiation, no compression.
 *
 * Sessions are resumed by tickets (RFC 5077, RFC 8446 section 4.6.1): the server stores no sessions, every ring accepts all
 * tickets, and they stay valid after a reload unless it changes which clients are accepted. Early data (0-RTT) is never
 * accepted.
 */

#include <stdbool.h>
#include <stdint.h>

#include <quoit/export.h>
#include <quoit/service.h>
#include <quoit/tls_version.h>

QUOIT_BEGIN_DECLS

/* Certificates and rules that listeners share; opaque and counted by reference. */
typedef struct quoit_tls quoit_tls;

/* Whether clients show a certificate (mTLS); its contents are in <quoit/peer.h>. */
typedef enum quoit_tls_client_auth {
        QUOIT_TLS_CLIENT_AUTH_NONE,
        QUOIT_TLS_CLIENT_AUTH_REQUEST, /* optional; a certificate that client_ca_file does not verify ends the handshake */
        QUOIT_TLS_CLIENT_AUTH_REQUIRE, /* required */
} quoit_tls_client_auth;

/* Zero (or NULL) in a member takes the default. */
typedef struct quoit_tls_options {
        quoit_tls_version version_min; /* Default: 1.2. */
        quoit_tls_client_auth client_auth; /* Default: none. */
        const char *
                client_ca_file; /* PEM: the authorities that sign clients' certificates. Needed with client_auth */
        const char *
                cipher_list; /* TLS 1.2, in the syntax of openssl-ciphers(1). Default: ECDHE with AES-GCM or ChaCha20. */
        const char *cipher_suites; /* TLS 1.3. Default: AES-128-GCM, AES-256-GCM, ChaCha20. */
        const char *groups; /* for the exchange of keys. Default: X25519:P-256:P-384. */
        /*
         * 80 secret bytes that encrypt tickets, for several processes that accept each other's tickets, or a process that is
         * restarted: "openssl rand -out FILE 80". Read again by quoit_tls_reload(); tickets of the previous key are still
         * accepted. None: a key of the process's own, a new one every two hours and at each reload.
         */
        const char *ticket_key_file;
        bool no_resumption; /* no tickets: each connection makes a full handshake */
} quoit_tls_options;

/*
 * Makes a quoit_tls, still without a certificate, in *@ret_tls; @options (NULL: all defaults) are copied. 0, -ENOMEM. Errors in
 * @options are reported by quoit_tls_add_certificate().
 */
QUOIT_API int quoit_tls_new(const quoit_tls_options *options, quoit_tls **ret_tls);

/* Releases the caller's reference; servers that listen with it have their own. Takes NULL, returns NULL. */
QUOIT_API quoit_tls *quoit_tls_free(quoit_tls *tls);

/*
 * Adds a certificate: @certificate_file is PEM, first the server's own certificate, then the intermediate ones up to the
 * client's root; @key_file is its private key, PEM without a passphrase. Both are read now, and again by quoit_tls_reload(). A
 * client gets the certificate whose names (subjectAltName) match the name that it asks for (SNI, RFC 6066): an exact match
 * before a wildcard; the first one that was added if none matches.
 * From any thread, also while servers run.
 * 0, or a negative errno, with details in quoit_tls_problem(), and nothing has changed: the errno of a file that cannot be
 * read;
 * -EINVAL: bad options, not PEM, or the key belongs to another certificate; -EKEYEXPIRED: the certificate has expired or is not
 * yet valid; -EKEYREJECTED: OpenSSL finds it too weak; -ENOMEM.
 */
QUOIT_API int quoit_tls_add_certificate(
        quoit_tls *tls, const char *certificate_file, const char *key_file);

/*
 * Reads all files again: open connections are not changed, later handshakes use the new files. If any of them is bad, all the
 * old ones stay in use. From any thread; waits for the disk. Returns as quoit_tls_add_certificate() does.
 */
QUOIT_API int quoit_tls_reload(quoit_tls *tls);

/*
 * What went wrong in the last function on @tls that failed: one line with the file, what is wrong and what to do; "" if nothing
 * failed. Owned by @tls, valid until the next function on it on any thread: a program that reloads from several threads needs a
 * lock around both.
 */
QUOIT_API const char *quoit_tls_problem(const quoit_tls *tls);

/*
 * As quoit_server_listen(), with TLS: @server takes a reference to @tls and keeps it until it is freed. A server can have
 * listeners with and without TLS. Handshakes run on threads of their own (`handshake_threads` of quoit_server_options), so that
 * no ring waits for them. -EINVAL also if @tls has no certificate.
 */
QUOIT_API int quoit_server_listen_tls(
        quoit_server *server, const char *address, quoit_tls *tls, uint16_t *ret_port);

QUOIT_END_DECLS
