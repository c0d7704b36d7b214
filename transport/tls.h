/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * TLS of one connection, without a socket: bytes from the peer go in through tls_put(), bytes for the peer are in
 * `out`. OpenSSL reads and writes our memory through a BIO type of our own, the pipe.
 *
 * Threads: any, one at a time. A handshake is lent to a thread of its own (link/secure.h).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include <openssl/ssl.h>

#include "transport/tls_context.h"

/* A buffer of ciphertext. */
struct tls_bytes {
        uint8_t *data; /* malloc's; NULL while there is none */
        size_t size;
        size_t capacity;
};

enum tls_state {
        TLS_HANDSHAKE,
        TLS_OPEN,
        TLS_ENDED, /* we have sent close_notify, or TLS failed: nothing more is sealed */
};

struct tls {
        SSL *ssl;
        struct tls_context *context;
        const uint8_t *in; /* from the peer, not read yet; the caller's memory */
        size_t in_size;
        struct tls_bytes out;
        enum tls_state state;
        uint64_t now_ns; /* when tls_handshake() or tls_resume() was last called */
        unsigned
                late_messages; /* key updates and tickets of the peer, since the count was last cleared */
        size_t read_bytes; /* since then */
        bool is_client;
        bool takes_http1; /* a server's, set by the caller: its client may choose http/1.1 by ALPN, or nothing */
        bool renegotiation; /* was asked for */
        struct {
                char *name; /* malloc's; NULL: no session is offered or kept */
                uint64_t place;
        } resumes; /* a client's: whose sessions */
        bool asks; /* set by the caller: tls_handshake() returns -EINPROGRESS before it makes a signature */
};

/* The server's side, by @context, of which it takes a reference. Must not move. 0, -ENOMEM. */
int tls_init_server(struct tls *tls, struct tls_context *context);

/*
 * The client's side, by a context of tls_context_new_client(). The server's certificate must be for @name, a DNS name or an IP
 * address. The first tls_handshake() needs nothing from the peer and leaves the ClientHello in `out`. Must not move. 0; -ENOMEM;
 * -EINVAL: @name is empty or too long.
 */
int tls_init_client(struct tls *tls, struct tls_context *context, const char *name);

/*
 * A client offers a session that its context has kept, and those that it is given are kept. @name is that of tls_init_client(), @place
 * a number for the server's address (tls_sessions.h). Before the first tls_handshake(). 0, -ENOMEM.
 */
int tls_resume(struct tls *tls, const char *name, uint64_t place, uint64_t now_ns);

/* Takes zeroed memory. */
void tls_deinit(struct tls *tls);

/*
 * Bytes from the peer. They must live until tls_handshake() or tls_read() returns -EAGAIN, or is not called any more. Earlier
 * bytes must be used up.
 */
void tls_put(struct tls *tls, const uint8_t *data, size_t size);

/*
 * Continues the handshake, at @now_ns; can take a millisecond. 0: it is done, and there can be bytes for tls_read(). -EAGAIN: it
 * needs more from the peer. -EINPROGRESS: a signature is next, and `asks` is set: clear that to continue. -EPROTO: it failed, for the
 * reason in @problem; there can be an alert in `out`.
 */
int tls_handshake(struct tls *tls, uint64_t now_ns, struct tls_problem *problem);

/*
 * Decrypts bytes from the peer: *@ret_size bytes into @data. 0; -EAGAIN: there are no more now; -ENODATA: the peer has ended its
 * side; -EPROTO: it broke TLS, and @problem and `out` are as after tls_handshake().
 */
int tls_read(struct tls *tls, uint8_t *data, size_t size_max, size_t *ret_size,
        struct tls_problem *problem);

/* The largest size of the ciphertext of @size bytes: a record has a header, a nonce and a tag. */
static inline size_t tls_sealed_bytes_max(size_t size)
{
        return size + (size / SSL3_RT_MAX_PLAIN_LENGTH + 1) * 64;
}

/*
 * Seals all of @iovecs, in as few records as possible, and appends them to `out`. The data is not used after the return. Only while
 * TLS_OPEN. 0; -ENOMEM: nothing can be sealed any more.
 */
int tls_seal(struct tls *tls, const struct iovec *iovecs, size_t count);

/* Ends our side with a close_notify, unless it was ended before. */
void tls_end(struct tls *tls);

/* Takes the bytes in `out`. The caller free()s them. */
struct tls_bytes tls_take(struct tls *tls);

/* Whether @data, at least one byte, can be the beginning of a TLS record (RFC 8446 section 5.1). */
bool tls_is_record(const uint8_t *data, size_t size);

/* How many of these bytes, which begin with a record, are whole records. All, if bytes among them are not a record. */
size_t tls_whole_records(const uint8_t *data, size_t size);

/* Makes room for @size more bytes. False: no memory. */
bool tls_bytes_reserve(struct tls_bytes *bytes, size_t size);

/* Copies; false: no memory. */
bool tls_bytes_append(struct tls_bytes *bytes, const void *data, size_t size);

/* The BIO type for the connections of a context; NULL: no memory. */
BIO_METHOD *tls_pipe_new(void);
