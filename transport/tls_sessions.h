/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The sessions that a client can resume (RFC 8446 section 2.2, RFC 5077): its next connection to a server needs no signature and no
 * check of certificates. OpenSSL does not look at the server's name again where a session is resumed, so each is kept with the
 * name that it was made for. One that is taken is kept no more: a ticket of TLS 1.3 is for a single use (RFC 8446 appendix C.4), and
 * what a server does not take, for whatever reason, is not offered to it for ever. Any thread.
 */

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/ssl.h>

#define TLS_SESSION_TICKET_BYTES_MAX ((size_t)16 << 10) /* a session with more is not kept */
/* A session is not kept for longer, whatever its server says (RFC 8446 section 4.6.1). */
#define TLS_SESSION_SECONDS_MAX ((uint64_t)7 * 24 * 60 * 60)

struct tls;
struct tls_kept;

struct tls_sessions {
        pthread_mutex_t mutex;
        unsigned count;
        unsigned count_max;
        struct tls_kept **kept; /* the newest last */
};

/* At most @count_max; 0: none, ever. 0, -ENOMEM. */
int tls_sessions_init(struct tls_sessions *sessions, unsigned count_max);

/* Takes zeroed memory. */
void tls_sessions_deinit(struct tls_sessions *sessions);

/*
 * Keeps a copy of @session, with a server for @name at the place of that number, from @now_ns on, in place of the oldest one if there
 * are too many. A session that cannot be resumed is not kept, nor where memory is short.
 */
void tls_sessions_put(struct tls_sessions *sessions, SSL_SESSION *session, const char *name,
        uint64_t place, uint64_t now_ns);

/*
 * The newest session with @name, of @place if there is one: servers that share a name need not share their tickets' keys. The
 * caller's, and nobody else uses it. NULL: there is none, or it is too old at @now_ns.
 */
SSL_SESSION *tls_sessions_take(
        struct tls_sessions *sessions, const char *name, uint64_t place, uint64_t now_ns);

/* ---- of connections ---- */

/* Sessions of @ssl's connections, each of a struct tls that has asked for it, are kept in @sessions, which outlive @ssl. 0, -ENOMEM. */
int tls_sessions_attach(struct tls_sessions *sessions, SSL_CTX *ssl);

/* Offers one of @sessions, which it takes. The handshake has not begun. */
void tls_sessions_offer(struct tls_sessions *sessions, struct tls *tls);

/* The handshake has succeeded. A session of TLS 1.2 that it has resumed is good for another time. */
void tls_sessions_return(struct tls_sessions *sessions, const struct tls *tls);
