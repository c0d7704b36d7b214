/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The other end of a connection: credentials, TLS, and our own address. quoit_call_peer() has the peer's address. All is found
 * out when the connection opens, and does not change during the call.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <quoit/call.h>
#include <quoit/export.h>

QUOIT_BEGIN_DECLS

/* A process at the other end of a unix socket, as the kernel knew it when it connected (SO_PEERCRED in unix(7)). */
typedef struct quoit_peer_credentials {
        int32_t pid; /* in our pid namespace; 0: it has none there. May belong to another process by now */
        uint32_t uid; /* the effective one at that time, in our user namespace */
        uint32_t gid; /* the effective one at that time */
} quoit_peer_credentials;

/*
 * The credentials of the process that calls, in *@ret_credentials; only on unix sockets. The kernel provides them, so the user
 * and the group can be trusted. The pid cannot: the process may have ended, or passed its connection to another.
 * 0; -ENODATA, and *@ret_credentials untouched, on a connection by TCP or vsock.
 */
QUOIT_API int quoit_call_peer_credentials(
        const quoit_call *call, quoit_peer_credentials *ret_credentials);

/* The kind of a name in a certificate (subjectAltName: RFC 5280 section 4.2.1.6). */
typedef enum quoit_peer_name_kind {
        QUOIT_PEER_NAME_DNS,
        QUOIT_PEER_NAME_URI, /* for example a SPIFFE ID */
        QUOIT_PEER_NAME_EMAIL,
        QUOIT_PEER_NAME_IP, /* as inet_ntop(3) writes it */
} quoit_peer_name_kind;

/* A name in the peer's certificate. */
typedef struct quoit_peer_name {
        quoit_peer_name_kind kind; /* what it names */
        const char *text; /* without a NUL inside */
} quoit_peer_name;

/* The result of a TLS handshake. */
typedef struct quoit_peer_tls {
        const char *version; /* "TLSv1.2", "TLSv1.3" */
        const char *cipher; /* by IANA's name: "TLS_AES_128_GCM_SHA256" */
        const char *server_name; /* the name that the client asked for (SNI); NULL: none */
        bool resumed; /* by a ticket: the certificate was checked when the ticket was issued */
        /* The rest is about the client's certificate, verified by client_ca_file; zero and NULL if it has shown none. */
        const uint8_t *certificate; /* DER */
        size_t certificate_bytes; /* size of the DER */
        uint8_t fingerprint[32]; /* SHA-256 of the DER */
        const char *subject; /* as RFC 2253 writes it: "CN=client,O=Example" */
        const quoit_peer_name *names; /* its names of the kinds above, in its order */
        size_t name_count; /* of `names` */
} quoit_peer_tls;

/* TLS of the call's connection; NULL: it is without TLS. Lives as long as the call. */
QUOIT_API const quoit_peer_tls *quoit_call_peer_tls(const quoit_call *call);

/*
 * The address of this machine that the peer has connected to, spelled as in quoit_call_peer(): useful with several listeners,
 * or one for all addresses. Lives as long as the call.
 */
QUOIT_API const char *quoit_call_local_address(const quoit_call *call);

QUOIT_END_DECLS
