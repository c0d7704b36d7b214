/* SPDX-License-Identifier: MIT */
#include "transport/tls.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

#include "transport/tls_servers.h"

#define RECORD_BYTES_MAX ((size_t)SSL3_RT_MAX_PLAIN_LENGTH)
#define LATE_MESSAGES_MAX 32 /* for so many bytes: */
#define LATE_MESSAGES_BYTES ((size_t)64 << 10)

/* ---- life ---- */

/* Messages that OpenSSL handles by itself: it neither reports nor limits them. */
static void on_message(
        int sent, int version, int type, const void *data, size_t size, SSL *ssl, void *user)
{
        struct tls *tls = user;
        const uint8_t *bytes = data;

        (void)version;
        (void)ssl;
        if (type == SSL3_RT_HANDSHAKE && !sent && size > 0 &&
                (bytes[0] == SSL3_MT_KEY_UPDATE || bytes[0] == SSL3_MT_NEWSESSION_TICKET))
                tls->late_messages++;
        if (type == SSL3_RT_ALERT && sent && size > 1 && bytes[1] == SSL_AD_NO_RENEGOTIATION)
                tls->renegotiation = true;
}

static int init(struct tls *tls, struct tls_context *context)
{
        BIO *pipe;

        *tls = (struct tls){ 0 };
        tls->ssl = SSL_new(context->contexts[0]);
        pipe = BIO_new(context->pipe);
        /* that is for transport/tls_tickets.c and tls_sessions.c */
        if (!tls->ssl || !pipe || SSL_set_app_data(tls->ssl, tls) != 1) {
                SSL_free(tls->ssl);
                BIO_free(pipe);
                tls->ssl = NULL;
                return -ENOMEM;
        }
        tls->context = tls_context_ref(context);
        BIO_set_data(pipe, tls);
        BIO_set_init(pipe, 1);
        SSL_set_bio(tls->ssl, pipe, pipe);
        SSL_set_msg_callback(tls->ssl, on_message);
        SSL_set_msg_callback_arg(tls->ssl, tls);
        return 0;
}

int tls_init_server(struct tls *tls, struct tls_context *context)
{
        int r = init(tls, context);

        if (r == 0)
                SSL_set_accept_state(tls->ssl);
        return r;
}

int tls_init_client(struct tls *tls, struct tls_context *context, const char *name)
{
        int r = init(tls, context);

        if (r < 0)
                return r;
        r = tls_servers_expect(tls->ssl, name);
        if (r < 0) {
                tls_deinit(tls);
                return r;
        }
        tls->is_client = true;
        SSL_set_connect_state(tls->ssl);
        return 0;
}

int tls_resume(struct tls *tls, const char *name, uint64_t place, uint64_t now_ns)
{
        assert(tls->is_client && tls->state == TLS_HANDSHAKE);
        tls->resumes.name = strdup(name);
        tls->resumes.place = place;
        tls->now_ns = now_ns;
        if (!tls->resumes.name)
                return -ENOMEM;
        tls_sessions_offer(&tls->context->sessions, tls);
        return 0;
}

void tls_deinit(struct tls *tls)
{
        SSL_free(tls->ssl);
        free(tls->resumes.name);
        free(tls->out.data);
        tls_context_unref(tls->context);
        *tls = (struct tls){ .state = TLS_ENDED };
}

static void set_state(struct tls *tls, enum tls_state state)
{
        assert(state > tls->state); /* forwards only */
        tls->state = state;
}

/* ---- what went wrong ---- */

static const struct {
        int reason;
        const char *text;
} plain_words[] = {
        { SSL_R_HTTP_REQUEST, "it speaks HTTP in the clear, and TLS is spoken here" },
        { SSL_R_HTTPS_PROXY_REQUEST, "it speaks HTTP in the clear, and TLS is spoken here" },
        { SSL_R_WRONG_VERSION_NUMBER,
                "what it sent is no TLS; perhaps it speaks gRPC in the clear" },
        { SSL_R_UNSUPPORTED_PROTOCOL, "it offers no version of TLS that is new enough" },
        { SSL_R_CALLBACK_FAILED, "it offers no protocol by ALPN, and \"h2\" is due" },
        { SSL_R_NO_APPLICATION_PROTOCOL, "it offers other protocols than \"h2\" by ALPN" },
        { SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE, "it shows no certificate, and must" },
        { SSL_R_NO_SHARED_CIPHER, "it offers no cipher that is taken here" },
        { SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM, "it cannot check our kind of certificate" },
};

/* An alert that the peer sent is about us. */
static bool is_alert(int reason)
{
        return reason >= SSL_AD_REASON_OFFSET && reason < SSL_AD_REASON_OFFSET + 256;
}

#define NO_H2 "it does not agree to \"h2\" by ALPN, so it does not speak gRPC"

static int explain(struct tls *tls, struct tls_problem *problem)
{
        unsigned long error = ERR_peek_error();
        int reason = ERR_GET_REASON(error);
        const char *text = ERR_reason_error_string(error);

        if (tls->renegotiation)
                return tls_problem_set(problem, -EPROTO, "it asks to negotiate TLS anew");
        if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED)
                return tls_problem_set(problem, -EPROTO, "its certificate is refused: %s",
                        X509_verify_cert_error_string(SSL_get_verify_result(tls->ssl)));
        if (tls->is_client && reason == SSL_AD_REASON_OFFSET + SSL_AD_NO_APPLICATION_PROTOCOL)
                return tls_problem_set(problem, -EPROTO, NO_H2);
        if (is_alert(reason) && text)
                return tls_problem_set(problem, -EPROTO, "it gave up: %s", text);
        for (size_t i = 0; i < sizeof(plain_words) / sizeof(*plain_words); i++) {
                if (plain_words[i].reason == reason)
                        return tls_problem_set(problem, -EPROTO, "%s", plain_words[i].text);
        }
        return tls_problem_set(
                problem, -EPROTO, "%s", text ? text : "what it sent cannot be understood");
}

static int fail(struct tls *tls, struct tls_problem *problem)
{
        if (tls->state != TLS_ENDED)
                set_state(tls, TLS_ENDED);
        return explain(tls, problem);
}

/* ---- in ---- */

void tls_put(struct tls *tls, const uint8_t *data, size_t size)
{
        assert(tls->in_size == 0);
        tls->in = data;
        tls->in_size = size;
}

bool tls_is_record(const uint8_t *data, size_t size)
{
        return data[0] >= SSL3_RT_CHANGE_CIPHER_SPEC && data[0] <= SSL3_RT_APPLICATION_DATA &&
               (size < 2 || data[1] == SSL3_VERSION_MAJOR);
}

size_t tls_whole_records(const uint8_t *data, size_t size)
{
        size_t whole = 0;

        while (size - whole > 0) {
                const uint8_t *record = data + whole;
                size_t left = size - whole;
                size_t length;

                if (!tls_is_record(record, left))
                        return size; /* OpenSSL is to say what it is */
                if (left < SSL3_RT_HEADER_LENGTH)
                        break;
                length = SSL3_RT_HEADER_LENGTH + (size_t)(record[3] << 8 | record[4]);
                if (left < length)
                        break;
                whole += length;
        }
        return whole;
}

/* A server that knows nothing of ALPN goes on without it, and then speaks HTTP/1.1. */
static int check_protocol(struct tls *tls, struct tls_problem *problem)
{
        const unsigned char *protocol;
        unsigned size;

        SSL_get0_alpn_selected(tls->ssl, &protocol, &size);
        if (!tls->is_client || (size == 2 && memcmp(protocol, "h2", 2) == 0))
                return 0;
        tls_end(tls);
        return tls_problem_set(problem, -EPROTO, NO_H2);
}

int tls_handshake(struct tls *tls, uint64_t now_ns, struct tls_problem *problem)
{
        int r;

        assert(tls->state == TLS_HANDSHAKE);
        tls->now_ns = now_ns;
        ERR_clear_error();
        r = SSL_do_handshake(tls->ssl);
        if (r == 1) {
                set_state(tls, TLS_OPEN);
                r = check_protocol(tls, problem);
                if (r == 0 && tls->is_client)
                        tls_sessions_return(&tls->context->sessions, tls);
                return r;
        }
        switch (SSL_get_error(tls->ssl, r)) {
        case SSL_ERROR_WANT_READ:
                return -EAGAIN;
        case SSL_ERROR_WANT_X509_LOOKUP:
                return -EINPROGRESS;
        default:
                return fail(tls, problem);
        }
}

/* A change of keys is for the many bytes under the last ones, not for a few. A server has a few tickets to give. */
static void count_read(struct tls *tls, size_t size)
{
        tls->read_bytes += size;
        if (tls->read_bytes < LATE_MESSAGES_BYTES)
                return;
        tls->read_bytes = 0;
        tls->late_messages = 0;
}

int tls_read(struct tls *tls, uint8_t *data, size_t size_max, size_t *ret_size,
        struct tls_problem *problem)
{
        int r;

        if (tls->state != TLS_OPEN)
                return -ENODATA;
        ERR_clear_error();
        r = SSL_read_ex(tls->ssl, data, size_max, ret_size);
        if (tls->renegotiation)
                return explain(tls, problem); /* a GOAWAY says why: RFC 9113 section 9.2.1 */
        if (tls->late_messages > LATE_MESSAGES_MAX)
                return tls_problem_set(problem, -EPROTO, "it %s again and again, and sends little",
                        tls->is_client ? "changes its keys, or gives tickets,"
                                       : "changes its keys");
        if (r == 1) {
                count_read(tls, *ret_size);
                return 0;
        }
        switch (SSL_get_error(tls->ssl, r)) {
        case SSL_ERROR_WANT_READ:
                return -EAGAIN;
        case SSL_ERROR_ZERO_RETURN:
                return -ENODATA;
        default:
                return fail(tls, problem);
        }
}

/* ---- out ---- */

static int seal(struct tls *tls, const void *data, size_t size)
{
        size_t written;

        /* the pipe takes all that memory is there for */
        return SSL_write_ex(tls->ssl, data, size, &written) == 1 && written == size ? 0 : -ENOMEM;
}

/* A frame's header and its payload are iovecs of their own: they are gathered, or each would be a record. */
static int seal_gathered(struct tls *tls, const struct iovec *iovecs, size_t count)
{
        uint8_t record[RECORD_BYTES_MAX];
        size_t used = 0;
        int r = 0;

        for (size_t i = 0; r == 0 && i < count; i++) {
                const uint8_t *data = iovecs[i].iov_base;
                size_t left = iovecs[i].iov_len;

                while (r == 0 && left > 0) {
                        size_t room = RECORD_BYTES_MAX - used;
                        size_t size = left < room ? left : room;

                        memcpy(record + used, data, size);
                        used += size;
                        data += size;
                        left -= size;
                        if (used == RECORD_BYTES_MAX) {
                                r = seal(tls, record, used);
                                used = 0;
                        }
                }
        }
        if (r == 0 && used > 0)
                r = seal(tls, record, used);
        return r;
}

/* Room for all at once: no copy when the ciphertext grows. */
static bool reserve(struct tls *tls, const struct iovec *iovecs, size_t count)
{
        size_t size = 0;

        for (size_t i = 0; i < count; i++)
                size += iovecs[i].iov_len;
        return tls_bytes_reserve(&tls->out, tls_sealed_bytes_max(size));
}

int tls_seal(struct tls *tls, const struct iovec *iovecs, size_t count)
{
        int r;

        assert(tls->state == TLS_OPEN);
        ERR_clear_error();
        if (!reserve(tls, iovecs, count))
                r = -ENOMEM;
        else if (count == 1)
                r = seal(tls, iovecs->iov_base, iovecs->iov_len);
        else
                r = seal_gathered(tls, iovecs, count);
        if (r < 0)
                set_state(tls, TLS_ENDED);
        return r;
}

void tls_end(struct tls *tls)
{
        if (tls->state != TLS_OPEN)
                return;
        ERR_clear_error();
        (void)SSL_shutdown(tls->ssl); /* without memory for an alert it goes without */
        set_state(tls, TLS_ENDED);
}

struct tls_bytes tls_take(struct tls *tls)
{
        struct tls_bytes bytes = tls->out;

        tls->out = (struct tls_bytes){ 0 };
        return bytes;
}
