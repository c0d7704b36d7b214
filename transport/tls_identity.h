/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What TLS knows about a peer, copied from OpenSSL after the handshake: calls can outlive their connection's TLS.
 */

#include <openssl/ssl.h>

#include <quoit/peer.h>

/* Of @ssl, whose handshake is done. Heap, for tls_identity_free(); NULL: no memory. */
quoit_peer_tls *tls_identity_new(SSL *ssl);

/* Takes NULL. */
void tls_identity_free(quoit_peer_tls *identity);
