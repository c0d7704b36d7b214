/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * TLS of one connection, without a socket: what the peer sent goes in through tls_put(), what it shall get is in
 * `out`. OpenSSL reads and writes our memory through a BIO of its own kind, the pipe.
 *
 * Threads: any, one at a time. A handshake is lent to a thread of its own (link/secure.h).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include <openssl/ssl.h>

#include "transport/tls_context.h"

/* Ciphertext on its way out. */
struct tls_bytes {
        uint8_t *data; /* malloc's; NULL while there is none */
        size_t size;
        size_t capacity;
};

enum tls_state {
        TLS_HANDSHAKE,
        TLS_OPEN,
        TLS_ENDED, /* we have said so, or it failed: nothing more is sealed */
};

struct tls {
        SSL *ssl;
        struct tls_context *context;
        const uint8_t *in; /* from the peer, not looked at yet: the caller's */
        size_t in_size;
        struct tls_bytes out;
        enum tls_state state;
        uint64_t now_ns; /* when tls_handshake() was last called */
        unsigned
                late_messages; /* key updates and tickets of the peer, since they were last forgotten */
        size_t read_bytes; /* since then, too */
        bool is_client;
        bool renegotiation; /* was asked for */
        bool asks; /* the caller's: tls_handshake() is to say -EINPROGRESS before it makes a signature */
};

/* The server's side, by @context, of which it takes a reference. Must not move. 0, -ENOMEM. */
int tls_init_server(struct tls *tls, struct tls_context *context);

/*
 * The client's side, by a context of tls_context_new_client(), to the server @name: a DNS name or an IP address, which its
 * certificate must be for. The first tls_handshake() needs nothing from the peer and leaves the ClientHello in `out`. Must not
 * move. 0; -ENOMEM; -EINVAL: nothing can have this name.
 */
int tls_init_client(struct tls *tls, struct tls_context *context, const char *name);

/* Takes zeroed memory. */
void tls_deinit(struct tls *tls);

/*
 * Bytes from the peer, which live until tls_handshake() or tls_read() has said -EAGAIN, or is not to be called any
 * more. Those before must be used up.
 */
void tls_put(struct tls *tls, const uint8_t *data, size_t size);

/*
 * Goes on with the handshake, at @now_ns; may take a millisecond. 0: it is over, and there may be more to tls_read(). -EAGAIN: the
 * peer is to send more. -EINPROGRESS: a signature is next, and `asks` is set: once that is cleared it goes on. -EPROTO: it failed, @problem says why, an alert may be in `out`.
 */
int tls_handshake(struct tls *tls, uint64_t now_ns, struct tls_problem *problem);

/*
 * Decrypts what the peer has sent: *@ret_size bytes of it in @data. 0; -EAGAIN: there is no more now; -ENODATA: the peer
 * has ended its side; -EPROTO: it broke TLS, and @problem and `out` are as after tls_handshake().
 */
int tls_read(struct tls *tls, uint8_t *data, size_t size_max, size_t *ret_size,
        struct tls_problem *problem);

/* How much ciphertext so much makes, at most: a record has a header, a nonce and a tag. */
static inline size_t tls_sealed_bytes_max(size_t size)
{
        return size + (size / SSL3_RT_MAX_PLAIN_LENGTH + 1) * 64;
}

/*
 * Seals all of @iovecs, in as few records as they fit, onto `out`: they are the caller's again on return. Only while
 * TLS_OPEN. 0, or -ENOMEM, and nothing can be sealed any more.
 */
int tls_seal(struct tls *tls, const struct iovec *iovecs, size_t count);

/* Says that nothing more comes from us (close_notify), if that is still to be said. */
void tls_end(struct tls *tls);

/* Takes what is in `out`, for free(). */
struct tls_bytes tls_take(struct tls *tls);

/* Whether a record of TLS begins so, as far as @size bytes tell (RFC 8446 section 5.1); at least one. */
bool tls_is_record(const uint8_t *data, size_t size);

/* How many of these bytes, which begin with a record, are whole records. All of them, if something among them is not a record. */
size_t tls_whole_records(const uint8_t *data, size_t size);

/* Makes room for @size more; what is there stays. False: no memory. */
bool tls_bytes_reserve(struct tls_bytes *bytes, size_t size);

/* Copies; false: no memory. */
bool tls_bytes_append(struct tls_bytes *bytes, const void *data, size_t size);

/* The kind of BIO that a context makes its connections' of; NULL: no memory. */
BIO_METHOD *tls_pipe_new(void);
