/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * TLS of one connection, between its socket and its session: what comes is opened and fed to the session, what the session
 * has to say is sealed and sent. During the handshake the session says nothing. On the ring.
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
        struct tls tls; /* the handshake's while that is lent */
        struct handshake *handshake; /* NULL: it is over */
        struct connection *connection;
        quoit_peer_tls
                *identity; /* once the handshake is over: as long as the connection's calls */
        bool input_ended; /* while it was lent: what came before is looked at first, for it may say why */
        struct tls_bytes in_flight; /* ciphertext that is being sent */
        struct iovec iovec; /* the same, as the socket takes it */
};

/* @connection begins with a handshake, as @options say. 0, -ENOMEM. */
int secure_open(struct connection *connection, const struct connection_options *options);

/* Frees what the connection has of it; NULL is fine. Not while it is lent, nor while its bytes are in flight. */
void secure_free(struct connection *connection);

/* The connection is closed: no more work is to be done for it. Takes NULL. */
void secure_abandon(struct secure *secure);

/* The peer has ended its side, while a thread has it. */
void secure_end_input(struct secure *secure);

/* A thread has it: it must not be freed, connection_on_secured() will be called. Takes NULL. */
static inline bool secure_is_lent(const struct secure *secure)
{
        return secure && secure->handshake && secure->handshake->lent;
}

/* The handshake has succeeded, and we have not said the last: frames may go out. */
static inline bool secure_is_open(const struct secure *secure)
{
        return !secure->handshake && secure->tls.state == TLS_OPEN;
}

/*
 * Bytes from the peer, as far as they go to the session. 0; as session_feed(); -ENODATA: the peer has ended its side;
 * -EPROTO also for what is no TLS, of which a line has been logged.
 */
int secure_feed(struct secure *secure, const uint8_t *data, size_t size);

/* A step of the handshake is done: its outcome, as of secure_feed(). For connection_on_secured(). */
int secure_step(struct secure *secure);

/*
 * Makes one send, in `iovec`, of @output (NULL: none), what TLS has to say itself, and, if these are the @last words, its
 * end. *@ret_any: there is something. @output may be given back at once. 0; -ENOMEM: close.
 */
int secure_seal(struct secure *secure, const struct output *output, bool last, bool *ret_any);

/* That send is over. */
void secure_sent(struct secure *secure);
