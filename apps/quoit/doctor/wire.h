/* SPDX-License-Identifier: MIT */
#pragma once

/* Bytes to and from a server, in the clear or by TLS, each function waiting until a deadline at most. */

#include <stddef.h>
#include <stdint.h>

#include <openssl/ssl.h>

/* A connection: its owner closes both by wire_close(). */
struct wire {
        int fd; /* does not block */
        SSL *ssl; /* on @fd; NULL: in the clear */
        uint64_t deadline_ns; /* CLOCK_MONOTONIC */
};

/* The handshake of TLS on @wire->ssl, a client's. 0; a negative errno; -EPROTO: OpenSSL's queue of errors has the reason. */
int wire_handshake(struct wire *wire);

/* Writes all. 0, or as wire_handshake(). */
int wire_write(struct wire *wire, const void *bytes, size_t size);

/* Reads at least one byte. How many; 0: the peer has closed; or as wire_handshake(). */
int wire_read_some(struct wire *wire, void *bytes, size_t size);

/* Reads all @size bytes. 1; or as wire_read_some(), 0 also if the peer closes in between. */
int wire_read(struct wire *wire, void *bytes, size_t size);

void wire_close(struct wire *wire);
