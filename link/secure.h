/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * TLS of one connection, between its socket and its session: received bytes are decrypted and fed to the session, the
 * session's output is encrypted and sent. During the handshake the session sends nothing. On the ring's thread, except for
 * the steps of the handshake (link/handshake.h).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "link/handshake.h"
#include "transport/tls.h"
#include "transport/tls_identity.h"

struct connection;
struct connection_options;
struct output;

struct secure {
        struct tls tls; /* belongs to the handshake while that is lent */
        struct handshake *handshake; /* NULL: it is over */
        struct connection *connection;
        quoit_peer_tls
                *identity; /* set after the handshake; lives as long as the connection's calls */
        bool input_ended; /* the peer ended its side while `tls` was lent: earlier bytes are read first, they can say why */
        struct tls_bytes in_flight; /* ciphertext being sent */
        struct iovec iovec; /* refers to it, for the socket */
};

/* Gives @connection TLS by @options, and begins the handshake. 0, -ENOMEM, -EINVAL. */
int secure_open(struct connection *connection, const struct connection_options *options);

/* Frees the connection's TLS, if it has any. Not while it is lent, nor while its bytes are being sent. */
void secure_free(struct connection *connection);

/* The connection is closed: its handshake is not continued. Takes NULL. */
void secure_abandon(struct secure *secure);

/* The peer has ended its side while a thread has the TLS. */
void secure_end_input(struct secure *secure);

/* A thread has the TLS: it must not be freed yet; connection_on_secured() will be called. Takes NULL. */
static inline bool secure_is_lent(const struct secure *secure)
{
        return secure && secure->handshake && secure->handshake->lent;
}

/*
 * The caller is to stop reading for now: a thread has the TLS, and much has come meanwhile. That is no fault: HTTP/1.1 has no flow
 * control, and a client may send a large body directly behind its last handshake message. Takes NULL.
 */
static inline bool secure_is_full(const struct secure *secure)
{
        return secure_is_lent(secure) && handshake_is_full(secure->handshake);
}

/* The handshake has succeeded, and we have not ended TLS: frames can be sent. */
static inline bool secure_is_open(const struct secure *secure)
{
        return !secure->handshake && secure->tls.state == TLS_OPEN;
}

/*
 * Decrypts bytes from the peer and feeds the session. 0; the errors of session_feed(); -ENODATA: the peer has ended its
 * side; -EPROTO also for bytes that are not TLS: that has been logged.
 */
int secure_feed(struct secure *secure, const uint8_t *data, size_t size);

/* A step of the handshake is done. Returns what secure_feed() does. For connection_on_secured(). */
int secure_step(struct secure *secure);

/*
 * Prepares one send, in `iovec`: @output (can be NULL), messages of TLS itself, and, if this is the @last send, the end of TLS.
 * *@ret_any: there are bytes to send. @output is not used after that. 0; -ENOMEM: close the connection.
 */
int secure_seal(struct secure *secure, const struct output *output, bool last, bool *ret_any);

/* That send is over. */
void secure_sent(struct secure *secure);
