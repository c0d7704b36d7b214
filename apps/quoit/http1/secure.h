/* SPDX-License-Identifier: MIT */
#pragma once

/* TLS for HTTP/1.1: only "http/1.1" is offered by ALPN, and the server is verified unless the flags say otherwise. */

#include <openssl/ssl.h>

#include <quoit/client.h>

#include "../connection_flags.h"
#include "../doctor/wire.h"

/* 0, and *@ret_context, for SSL_CTX_free(); or a negative errno, and *@ret_error says which file is wrong. */
int secure_new(const struct connection_flags *flags, SSL_CTX **ret_context, quoit_error *ret_error);

/*
 * The handshake on @wire, whose fd is connected, with a server that is to be @name, a host or an address; then @wire->ssl is set. 0; or a
 * negative errno, and *@ret_error says why.
 */
int secure_handshake(SSL_CTX *context, const char *name, struct wire *wire, quoit_error *ret_error);
