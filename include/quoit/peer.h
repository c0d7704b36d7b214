/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Who calls: beside quoit_call_peer(), which tells the address, what else is known of the other end of a connection.
 * It is found out when the connection opens, and stays true as long as the call.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <quoit/call.h>
#include <quoit/export.h>

QUOIT_BEGIN_DECLS

/* A process at the other end of a unix socket, as the kernel knew it when it connected (SO_PEERCRED in unix(7)). */
typedef struct quoit_peer_credentials {
        int32_t pid; /* in our pid namespace; 0: it has none there. May be another's by now */
        uint32_t uid; /* effective then, in our user namespace */
        uint32_t gid; /* effective then */
} quoit_peer_credentials;

/*
 * The credentials of the process that calls, in *@ret_credentials: unix sockets only, and true for everybody on this
 * machine, since it is the kernel that says so. To be trusted: the user and the group. The process may have ended, or
 * handed its connection to another.
 * 0; -ENODATA, and *@ret_credentials untouched, where the connection came by TCP or vsock.
 */
QUOIT_API int quoit_call_peer_credentials(
        const quoit_call *call, quoit_peer_credentials *ret_credentials);

/* Of what kind a name in a certificate is (subjectAltName: RFC 5280 section 4.2.1.6). */
typedef enum quoit_peer_name_kind {
        QUOIT_PEER_NAME_DNS,
        QUOIT_PEER_NAME_URI, /* a SPIFFE ID is one */
        QUOIT_PEER_NAME_EMAIL,
        QUOIT_PEER_NAME_IP, /* as inet_ntop(3) writes it */
} quoit_peer_name_kind;

/* A name that the peer's certificate vouches for. */
typedef struct quoit_peer_name {
        quoit_peer_name_kind kind; /* what it names */
        const char *text; /* has no NUL within */
} quoit_peer_name;

/* What a handshake of TLS found out of a connection. */
typedef struct quoit_peer_tls {
        const char *version; /* "TLSv1.2", "TLSv1.3" */
        const char *cipher; /* by IANA's name: "TLS_AES_128_GCM_SHA256" */
        const char *server_name; /* that the client asked for (SNI); NULL: none */
        bool resumed; /* by a ticket: the certificate was checked when that was given out */
        /* The rest is of the client's certificate, which client_ca_file vouches for; zero and NULL where it has shown none. */
        const uint8_t *certificate; /* DER */
        size_t certificate_bytes; /* of DER */
        uint8_t fingerprint[32]; /* SHA-256 of the DER */
        const char *subject; /* as RFC 2253 writes it: "CN=client,O=Example" */
        const quoit_peer_name *names; /* in its order, those of the kinds above */
        size_t name_count; /* of `names` */
} quoit_peer_tls;

/* Of the connection that the call came on; NULL: it is in the clear. Lives as long as the call. */
QUOIT_API const quoit_peer_tls *quoit_call_peer_tls(const quoit_call *call);

/*
 * The address of this machine that the peer has connected to, spelled as quoit_call_peer()'s: with several listeners,
 * or one for all addresses, this tells which. Lives as long as the call.
 */
QUOIT_API const char *quoit_call_local_address(const quoit_call *call);

QUOIT_END_DECLS
