/* SPDX-License-Identifier: MIT */
#include "transport/tls_context.h"

#include <errno.h>
#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "transport/tls.h"
#include "transport/tls_clients.h"
#include "transport/tls_files.h"
#include "transport/tls_servers.h"

/* RFC 9113 section 9.2.2 and appendix A: what forgets its keys, and authenticates what it encrypts. */
#define CIPHER_LIST "ECDHE+AESGCM:ECDHE+CHACHA20"
#define CIPHER_SUITES "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"
#define GROUPS "X25519:P-256:P-384"
#define SECURITY_LEVEL 2 /* 112 bits: RSA of 2048 and more, no SHA-1 */

/* ---- what a handshake is asked ---- */

static const unsigned char h2[] = { 2, 'h', '2' };
static const unsigned char h2_or_http1[] = { 2, 'h', '2', 8, 'h', 't', 't', 'p', '/', '1', '.',
        '1' };

static int on_alpn(SSL *ssl, const unsigned char **ret_protocol, unsigned char *ret_size,
        const unsigned char *offered, unsigned size, void *user)
{
        const struct tls *tls = SSL_get_app_data(ssl);
        const unsigned char *ours = tls->takes_http1 ? h2_or_http1 : h2;

        (void)user;
        if (SSL_select_next_proto((unsigned char **)ret_protocol, ret_size, ours,
                    tls->takes_http1 ? sizeof(h2_or_http1) : sizeof(h2), offered,
                    size) != OPENSSL_NPN_NEGOTIATED)
                return SSL_TLSEXT_ERR_ALERT_FATAL;
        return SSL_TLSEXT_ERR_OK;
}

/* on_alpn() is not asked where the client offers no protocol at all: then it speaks HTTP/1.1. */
static int on_client_hello(SSL *ssl, int *ret_alert, void *user)
{
        const struct tls *tls = SSL_get_app_data(ssl);
        const unsigned char *extension;
        size_t size;

        (void)user;
        if (tls->takes_http1 ||
                SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_application_layer_protocol_negotiation,
                        &extension, &size) == 1)
                return SSL_CLIENT_HELLO_SUCCESS;
        *ret_alert = SSL_AD_NO_APPLICATION_PROTOCOL;
        return SSL_CLIENT_HELLO_ERROR;
}

static int on_server_name(SSL *ssl, int *ret_alert, void *user)
{
        const struct tls_context *context = user;
        const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

        (void)ret_alert;
        if (!name)
                return SSL_TLSEXT_ERR_NOACK;
        SSL_set_SSL_CTX(ssl, tls_context_choose(context, name));
        return SSL_TLSEXT_ERR_OK;
}

/*
 * OpenSSL asks for a certificate before it signs. Not where a session is resumed; and a client whose guess of a group is wrong,
 * so that it has sent no key for ours, is only asked to come again (HelloRetryRequest).
 */
static int on_certificate(SSL *ssl, void *user)
{
        const struct tls *tls = SSL_get_app_data(ssl);
        EVP_PKEY *key = NULL;

        (void)user;
        if (!tls->asks || (SSL_version(ssl) == TLS1_3_VERSION && !SSL_get_peer_tmp_key(ssl, &key)))
                return 1;
        EVP_PKEY_free(key);
        return -1;
}

static SSL_CTX *find(const struct tls_context *context, const char *name, unsigned flags)
{
        for (size_t i = 0; i < context->count; i++) {
                X509 *leaf = SSL_CTX_get0_certificate(context->contexts[i]);

                if (X509_check_host(leaf, name, 0, flags, NULL) == 1)
                        return context->contexts[i];
        }
        return NULL;
}

SSL_CTX *tls_context_choose(const struct tls_context *context, const char *name)
{
        SSL_CTX *found = find(context, name, X509_CHECK_FLAG_NO_WILDCARDS);

        if (!found)
                found = find(context, name, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
        return found ? found : context->contexts[0];
}

/* ---- making ---- */

static int set_versions(const quoit_tls_options *options, SSL_CTX *ssl, struct tls_problem *problem)
{
        int version =
                options->version_min == QUOIT_TLS_VERSION_1_3 ? TLS1_3_VERSION : TLS1_2_VERSION;

        if (SSL_CTX_set_min_proto_version(ssl, version) != 1 ||
                SSL_CTX_set_max_proto_version(ssl, 0) != 1)
                return tls_problem_set(problem, -EINVAL, "OpenSSL cannot do this version of TLS");
        return 0;
}

static int set_ciphers(const quoit_tls_options *options, SSL_CTX *ssl, struct tls_problem *problem)
{
        const char *list = options->cipher_list ? options->cipher_list : CIPHER_LIST;
        const char *suites = options->cipher_suites ? options->cipher_suites : CIPHER_SUITES;
        const char *groups = options->groups ? options->groups : GROUPS;

        SSL_CTX_set_security_level(ssl, SECURITY_LEVEL);
        if (SSL_CTX_set_cipher_list(ssl, list) != 1)
                return tls_problem_set(problem, -EINVAL,
                        "'%s' names no ciphers of TLS 1.2 that OpenSSL knows: see "
                        "openssl-ciphers(1)",
                        list);
        if (SSL_CTX_set_ciphersuites(ssl, suites) != 1)
                return tls_problem_set(problem, -EINVAL,
                        "'%s' names no cipher suites of TLS 1.3 that OpenSSL knows: see "
                        "openssl-ciphers(1)",
                        suites);
        if (SSL_CTX_set1_groups_list(ssl, groups) != 1)
                return tls_problem_set(problem, -EINVAL,
                        "'%s' names no groups that OpenSSL knows, as X25519:P-256", groups);
        return 0;
}

static int use_certificate(
        const struct tls_source *source, SSL_CTX *ssl, struct tls_problem *problem)
{
        struct tls_certificate certificate;
        int r = tls_certificate_load(
                source->certificate_file, source->key_file, &certificate, problem);

        if (r < 0)
                return r;
        if (SSL_CTX_use_cert_and_key(
                    ssl, certificate.leaf, certificate.key, certificate.chain, 1) != 1)
                r = tls_problem_set(problem, -EKEYREJECTED,
                        "OpenSSL takes no certificate as %s: %s", source->certificate_file,
                        tls_problem_openssl());
        tls_certificate_deinit(&certificate);
        return r;
}

/* Of both roles. */
static void set_common(SSL_CTX *ssl)
{
        SSL_CTX_set_options(ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
        /* an idle connection keeps no buffers */
        SSL_CTX_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS);
        SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
}

static int set_manners(const struct tls_rules *rules, struct tls_context *context, SSL_CTX *ssl)
{
        int r = 0;

        set_common(ssl);
        SSL_CTX_set_options(ssl, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
        if (rules->options->no_resumption) {
                SSL_CTX_set_options(ssl, SSL_OP_NO_TICKET);
                SSL_CTX_set_num_tickets(ssl, 0);
        } else {
                r = tls_tickets_attach(rules->tickets, ssl);
        }
        SSL_CTX_set_alpn_select_cb(ssl, on_alpn, NULL);
        SSL_CTX_set_client_hello_cb(ssl, on_client_hello, NULL);
        SSL_CTX_set_cert_cb(ssl, on_certificate, NULL);
        SSL_CTX_set_tlsext_servername_callback(ssl, on_server_name);
        SSL_CTX_set_tlsext_servername_arg(ssl, context);
        return r;
}

static int add(const struct tls_rules *rules, const struct tls_source *source,
        struct tls_context *context, struct tls_problem *problem)
{
        SSL_CTX *ssl = SSL_CTX_new(TLS_server_method());
        int r;

        if (!ssl)
                return tls_problem_set(problem, -ENOMEM, "out of memory");
        context->contexts[context->count++] = ssl;
        r = set_manners(rules, context, ssl);
        if (r < 0)
                return tls_problem_set(problem, r, "out of memory");
        r = set_versions(rules->options, ssl, problem);
        if (r == 0)
                r = set_ciphers(rules->options, ssl, problem);
        if (r == 0)
                r = tls_clients_attach(rules->options, ssl, problem);
        if (r == 0)
                r = use_certificate(source, ssl, problem);
        return r;
}

/* Room for @count, none of which is there yet. */
static int make_room(size_t count, struct tls_context **ret_context, struct tls_problem *problem)
{
        struct tls_context *context = calloc(1, sizeof(*context) + count * sizeof(SSL_CTX *));

        ERR_clear_error(); /* of this thread: those that follow are ours */
        if (context)
                atomic_store(&context->references, 1);
        if (!context || !(context->pipe = tls_pipe_new())) {
                tls_context_unref(context);
                return tls_problem_set(problem, -ENOMEM, "out of memory");
        }
        *ret_context = context;
        return 0;
}

int tls_context_new(const struct tls_rules *rules, struct tls_context **ret_context,
        struct tls_problem *problem)
{
        struct tls_context *context = NULL;
        int r = make_room(rules->source_count, &context, problem);

        for (size_t i = 0; r == 0 && i < rules->source_count; i++)
                r = add(rules, rules->sources + i, context, problem);
        if (r < 0) {
                tls_context_unref(context);
                return r;
        }
        *ret_context = context;
        return 0;
}

static int add_client(const struct tls_client_rules *rules, struct tls_context *context,
        struct tls_problem *problem)
{
        SSL_CTX *ssl = SSL_CTX_new(TLS_client_method());
        int r;

        if (!ssl)
                return tls_problem_set(problem, -ENOMEM, "out of memory");
        context->contexts[context->count++] = ssl;
        set_common(ssl);
        if (SSL_CTX_set_alpn_protos(ssl, h2, sizeof(h2)) != 0 || /* 0 is success here */
                tls_sessions_init(&context->sessions, rules->sessions_max) < 0)
                return tls_problem_set(problem, -ENOMEM, "out of memory");
        if (rules->sessions_max > 0 && tls_sessions_attach(&context->sessions, ssl) < 0)
                return tls_problem_set(problem, -ENOMEM, "out of memory");
        r = set_versions(rules->options, ssl, problem);
        if (r == 0)
                r = set_ciphers(rules->options, ssl, problem);
        if (r == 0)
                r = tls_servers_attach(rules->ca_file, !rules->no_verification, ssl, problem);
        if (r == 0 && rules->source)
                r = use_certificate(rules->source, ssl, problem);
        return r;
}

int tls_context_new_client(const struct tls_client_rules *rules, struct tls_context **ret_context,
        struct tls_problem *problem)
{
        struct tls_context *context = NULL;
        int r = make_room(1, &context, problem);

        if (r == 0)
                r = add_client(rules, context, problem);
        if (r < 0) {
                tls_context_unref(context);
                return r;
        }
        *ret_context = context;
        return 0;
}

struct tls_context *tls_context_ref(struct tls_context *context)
{
        atomic_fetch_add_explicit(&context->references, 1, memory_order_relaxed);
        return context;
}

void tls_context_unref(struct tls_context *context)
{
        if (!context || atomic_fetch_sub(&context->references, 1) > 1)
                return;
        for (size_t i = 0; i < context->count; i++)
                SSL_CTX_free(context->contexts[i]);
        tls_sessions_deinit(&context->sessions);
        BIO_meth_free(context->pipe);
        free(context);
}
