/* SPDX-License-Identifier: MIT */
#include "link/secure.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "codec/xxhash.h"
#include "link/base.h"
#include "link/connection.h"
#include "link/owner.h"
#include "transport/tls_config.h"

#define PLAIN_BYTES ((size_t)16384) /* a record */

/* ---- life ---- */

static void on_step(struct handshake *handshake)
{
        struct secure *secure = CONTAINER_OF(handshake->tls, struct secure, tls);

        connection_on_secured(secure->connection);
}

static int init_tls(struct secure *secure, const struct connection_options *options)
{
        struct tls *tls = &secure->tls;
        struct tls_context *context;
        int r;

        if (options->role == SESSION_CLIENT) {
                r = tls_init_client(tls, options->client_tls, options->server_name);
                return r < 0 ? r
                             : tls_resume(tls, options->server_name,
                                       xxhash64(&options->peer->any, options->peer->bytes),
                                       ring_clock_ns(&secure->connection->base->ring));
        }
        context = tls_config_context(options->tls);
        r = tls_init_server(tls, context);
        tls_context_unref(context);
        tls->takes_http1 = options->http1;
        return r;
}

static int start(struct secure *secure, const struct connection_options *options)
{
        const quoit_limits *limits = connection_limits(secure->connection);
        int r = init_tls(secure, options);

        if (r < 0)
                return r;
        secure->handshake = handshake_new(&secure->tls, options->handshakers, options->turn,
                &secure->connection->base->host,
                &(struct handshake_limits){ .bytes_max = limits->handshake_bytes_max,
                        .queued_max = limits->handshakes_queued_max },
                on_step);
        if (!secure->handshake)
                return -ENOMEM;
        secure->connection->base->heap.threads = options->handshakers;
        if (options->role == SESSION_CLIENT)
                handshake_begin(secure->handshake);
        return 0;
}

int secure_open(struct connection *connection, const struct connection_options *options)
{
        struct secure *secure = calloc(1, sizeof(*secure));
        int r;

        if (!secure)
                return -ENOMEM;
        connection->secure = secure;
        secure->connection = connection;
        r = start(secure, options);
        if (r < 0)
                secure_free(connection);
        return r;
}

void secure_free(struct connection *connection)
{
        struct secure *secure = connection->secure;

        if (!secure)
                return;
        assert(!secure_is_lent(secure) && !secure->in_flight.data);
        handshake_free(secure->handshake);
        tls_deinit(&secure->tls);
        tls_identity_free(secure->identity);
        free(secure);
        connection->secure = NULL;
}

void secure_abandon(struct secure *secure)
{
        if (secure && secure->handshake)
                atomic_store(&secure->handshake->peer, HANDSHAKE_PEER_CLOSED);
}

void secure_end_input(struct secure *secure)
{
        secure->input_ended = true;
        atomic_store(&secure->handshake->peer, HANDSHAKE_PEER_ENDED);
}

/* ---- in ---- */

static int complain(const struct secure *secure, int error, const char *what)
{
        secure->connection->owner->complain(secure->connection, "TLS: %s; closed", what);
        return error;
}

/* Decrypts and feeds all that the peer has sent: OpenSSL keeps at most the beginning of a record. */
static int read_all(struct secure *secure)
{
        struct session *session = &secure->connection->session;
        struct tls_problem problem;
        int r = 0;

        while (r == 0) {
                uint8_t plain[PLAIN_BYTES];
                size_t size;

                r = tls_read(&secure->tls, plain, sizeof(plain), &size, &problem);
                if (r == -EPROTO) {
                        session->bad_preface = false; /* it ends for this, whatever it speaks */
                        session_terminate(session, NGHTTP2_PROTOCOL_ERROR, problem.text);
                        return complain(secure, r, problem.text);
                }
                if (r == 0)
                        r = session_feed(session, plain, size);
                if (session->bad_preface && r == -EPROTO)
                        r = 0; /* goes on: the protocol that the peer speaks is guessed from all its bytes */
        }
        if (r == -EAGAIN)
                return session->bad_preface ? -EPROTO : 0;
        return r;
}

static int read_open(struct secure *secure, const uint8_t *data, size_t size)
{
        if (size == 0)
                return secure->connection->session.bad_preface ? -EPROTO : 0;
        tls_put(&secure->tls, data, size);
        return read_all(secure);
}

static int check_put(struct secure *secure, int r)
{
        if (r == -EMSGSIZE)
                return complain(secure, r,
                        "it sends too much before its handshake is over (handshake_bytes_max)");
        return r;
}

int secure_feed(struct secure *secure, const uint8_t *data, size_t size)
{
        if (secure->handshake)
                return check_put(secure, handshake_put(secure->handshake, data, size));
        if (!secure_is_open(secure))
                return 0; /* our last bytes are being sent: an error must not cut them off */
        return read_open(secure, data, size);
}

/* The bytes after the peer's last handshake message are its first of HTTP/2. */
static int finish_handshake(struct secure *secure)
{
        struct handshake *handshake = secure->handshake;
        int r;

        secure->identity = tls_identity_new(secure->tls.ssl);
        if (!secure->identity)
                return -ENOMEM;
        secure->connection->peer.tls = secure->identity;
        atomic_store_explicit(&secure->connection->counts.tls_cipher,
                secure->connection->peer.tls->cipher, memory_order_relaxed);
        workers_know(handshake->threads, handshake->turn);
        secure->handshake = NULL;
        r = read_all(secure);
        if (r == 0 || secure->connection->session.bad_preface)
                r = read_open(secure, handshake->inbox.data, handshake->inbox.size);
        handshake_free(handshake);
        return r;
}

int secure_step(struct secure *secure)
{
        switch (secure->handshake->result) {
        case 0:
                return finish_handshake(secure);
        case -EAGAIN:
                return handshake_continue(secure->handshake);
        case -ENODATA:
                return -ENODATA;
        default:
                return complain(secure, secure->handshake->result, secure->handshake->problem.text);
        }
}

/* ---- out ---- */

static struct tls_spares *spares_of(const struct secure *secure)
{
        return &secure->connection->base->spares;
}

static int seal_output(struct secure *secure, const struct output *output)
{
        struct tls *tls = &secure->tls;
        size_t size = tls_sealed_bytes_max(output->bytes);

        if (!tls->out.data && size >= TLS_SPARE_BYTES_MIN)
                tls->out = tls_spares_take(spares_of(secure), size);
        return tls_seal(tls, output->iov, output->iov_count);
}

int secure_seal(struct secure *secure, const struct output *output, bool last, bool *ret_any)
{
        int r = 0;

        assert(!secure->in_flight.data);
        *ret_any = false;
        if (secure_is_lent(secure))
                return 0;
        if (output && output->bytes > 0 && secure_is_open(secure))
                r = seal_output(secure, output);
        if (r < 0)
                return r;
        if (last)
                tls_end(&secure->tls);
        secure->in_flight = tls_take(&secure->tls);
        secure->iovec = (struct iovec){ secure->in_flight.data, secure->in_flight.size };
        *ret_any = secure->in_flight.size > 0;
        return 0;
}

void secure_sent(struct secure *secure)
{
        tls_spares_give(spares_of(secure), secure->in_flight);
        secure->in_flight = (struct tls_bytes){ 0 };
}
