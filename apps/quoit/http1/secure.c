/* SPDX-License-Identifier: MIT */
#include "secure.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const char *reason(void)
{
        const char *text = ERR_reason_error_string(ERR_peek_last_error());

        return text ? text : "TLS has failed";
}

static int fail_memory(quoit_error *ret_error)
{
        ret_error->status = QUOIT_UNAVAILABLE;
        snprintf(ret_error->text, sizeof(ret_error->text), "out of memory");
        return -ENOMEM;
}

static int refuse_file(const char *file, quoit_error *ret_error)
{
        ret_error->status = QUOIT_INVALID_ARGUMENT;
        snprintf(ret_error->text, sizeof(ret_error->text), "%s: %s", file, reason());
        return -EINVAL;
}

static int use_files(SSL_CTX *context, const struct connection_flags *flags, quoit_error *ret_error)
{
        if (flags->ca_file ? !SSL_CTX_load_verify_file(context, flags->ca_file)
                           : !SSL_CTX_set_default_verify_paths(context))
                return refuse_file(
                        flags->ca_file ? flags->ca_file : "the system's authorities", ret_error);
        if (flags->certificate_file &&
                SSL_CTX_use_certificate_chain_file(context, flags->certificate_file) != 1)
                return refuse_file(flags->certificate_file, ret_error);
        if (flags->key_file &&
                SSL_CTX_use_PrivateKey_file(context, flags->key_file, SSL_FILETYPE_PEM) != 1)
                return refuse_file(flags->key_file, ret_error);
        return 0;
}

int secure_new(const struct connection_flags *flags, SSL_CTX **ret_context, quoit_error *ret_error)
{
        static const unsigned char protocol[] = "\10http/1.1";
        SSL_CTX *context = SSL_CTX_new(TLS_client_method());
        int r;

        if (!context)
                return fail_memory(ret_error);
        SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
        SSL_CTX_set_mode(
                context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
        SSL_CTX_set_verify(context, flags->is_insecure ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, NULL);
        r = SSL_CTX_set_alpn_protos(context, protocol, sizeof(protocol) - 1) == 0
                    ? use_files(context, flags, ret_error)
                    : fail_memory(ret_error);
        if (r < 0) {
                SSL_CTX_free(context);
                return r;
        }
        *ret_context = context;
        return 0;
}

/* What the certificate must be for, and what the server is told of it (RFC 6066, section 3: not an address). */
static bool set_name(SSL *ssl, const char *name)
{
        struct in6_addr bytes;

        if (inet_pton(AF_INET, name, &bytes) == 1 || inet_pton(AF_INET6, name, &bytes) == 1)
                return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name);
        SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
        return SSL_set1_host(ssl, name) && SSL_set_tlsext_host_name(ssl, name);
}

static void explain(const struct wire *wire, int r, quoit_error *ret_error)
{
        long verdict = SSL_get_verify_result(wire->ssl);

        ret_error->status = QUOIT_UNAVAILABLE;
        if (r == -EPROTO && verdict != X509_V_OK)
                snprintf(ret_error->text, sizeof(ret_error->text), "TLS: certificate: %s",
                        X509_verify_cert_error_string(verdict));
        else
                snprintf(ret_error->text, sizeof(ret_error->text), "TLS: %s",
                        r == -EPROTO ? reason() : strerror(-r));
}

int secure_handshake(SSL_CTX *context, const char *name, struct wire *wire, quoit_error *ret_error)
{
        int r = -ENOMEM;

        wire->ssl = SSL_new(context);
        if (wire->ssl && SSL_set_fd(wire->ssl, wire->fd) && set_name(wire->ssl, name)) {
                r = wire_handshake(wire);
                if (r < 0)
                        explain(wire, r, ret_error);
        }
        if (r < 0) {
                SSL_free(wire->ssl);
                wire->ssl = NULL;
        }
        return r;
}
