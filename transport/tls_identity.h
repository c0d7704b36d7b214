/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What TLS knows of a peer, taken out of OpenSSL once a handshake is over: calls may outlive their connection's TLS.
 */

#include <openssl/ssl.h>

#include <quoit/peer.h>

/* Heap, to be given to tls_identity_free(); NULL: no memory. Of @ssl whose handshake is over. */
quoit_peer_tls *tls_identity_new(SSL *ssl);

/* Takes NULL. */
void tls_identity_free(quoit_peer_tls *identity);
