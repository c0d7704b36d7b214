/* SPDX-License-Identifier: MIT */
#include "tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "chain.h"
#include "elapsed.h"

/* The reason that OpenSSL has, in a few words. */
static const char *reason(void)
{
        unsigned long error = ERR_peek_last_error();
        const char *text = ERR_reason_error_string(error);

        return text ? text : "TLS has failed";
}

static int say_file(struct report *report, const char *file, bool is_quiet)
{
        if (!is_quiet)
                report_fail(report, file, "it must be PEM, and readable", "%s", reason());
        return -EINVAL;
}

/* 0, or -EINVAL. */
static int use_files(
        struct report *report, SSL_CTX *context, const struct tls_flags *flags, bool is_quiet)
{
        if (flags->ca_file ? !SSL_CTX_load_verify_file(context, flags->ca_file)
                           : !SSL_CTX_set_default_verify_paths(context))
                return say_file(report,
                        flags->ca_file ? flags->ca_file : "authorities of the system", is_quiet);
        if (flags->certificate_file &&
                SSL_CTX_use_certificate_chain_file(context, flags->certificate_file) != 1)
                return say_file(report, flags->certificate_file, is_quiet);
        if (flags->key_file &&
                SSL_CTX_use_PrivateKey_file(context, flags->key_file, SSL_FILETYPE_PEM) != 1)
                return say_file(report, flags->key_file, is_quiet);
        return 0;
}

static bool is_address(const char *name)
{
        struct in6_addr bytes;

        return inet_pton(AF_INET, name, &bytes) == 1 || inet_pton(AF_INET6, name, &bytes) == 1;
}

/* Both protocols are offered, to see which one the server takes: Quoit's clients, as grpc's, offer h2 alone. */
static SSL *open_session(SSL_CTX *context, const struct wire *wire, const char *name)
{
        static const unsigned char protocols[] = "\2h2\10http/1.1";
        SSL *ssl = SSL_new(context);

        if (!ssl)
                return NULL;
        if (!SSL_set_fd(ssl, wire->fd) ||
                SSL_set_alpn_protos(ssl, protocols, sizeof(protocols) - 1) != 0 ||
                (name && !is_address(name) && !SSL_set_tlsext_host_name(ssl, name))) {
                SSL_free(ssl);
                return NULL;
        }
        return ssl;
}

static void check_protocol(struct report *report, SSL *ssl)
{
        const unsigned char *protocol;
        unsigned size;

        SSL_get0_alpn_selected(ssl, &protocol, &size);
        if (size == 2 && memcmp(protocol, "h2", 2) == 0)
                report_ok(report, "ALPN", "h2");
        else if (size == 0)
                report_fail(report, "ALPN", "have the server, or the proxy before it, offer h2",
                        "it chooses no protocol, and gRPC's clients want h2");
        else
                report_fail(report, "ALPN",
                        "switch HTTP/2 on in the server, or the proxy before it", "it chooses %.*s",
                        (int)size, (const char *)protocol);
}

static void complain(struct report *report, int error)
{
        switch (error) {
        case -ETIMEDOUT:
                report_fail(report, "handshake", "does the server speak TLS there? See --plaintext",
                        "no answer in time");
                return;
        case -EPROTO:
                report_fail(report, "handshake",
                        "does the server speak TLS there, of version 1.2 or newer? See "
                        "--plaintext; it may want a client's certificate (--cert, --key)",
                        "%s", reason());
                return;
        default:
                report_fail(report, "handshake",
                        "does the server speak TLS there? See --plaintext, and its log",
                        "it ends the connection: %s", strerror(-error));
        }
}

static int shake(
        struct report *report, struct wire *wire, const struct tls_flags *flags, bool is_quiet)
{
        uint64_t begun_ns = clock_now_ns();
        int r = wire_handshake(wire);

        if (r < 0) {
                if (!is_quiet)
                        complain(report, r);
                SSL_free(wire->ssl);
                wire->ssl = NULL;
                return r;
        }
        report_ok(report, "handshake", "%s, %s, %.1f ms", SSL_get_version(wire->ssl),
                SSL_get_cipher_name(wire->ssl), elapsed_ms(begun_ns));
        chain_check(report, wire->ssl, flags->name, flags->is_insecure);
        check_protocol(report, wire->ssl);
        return 0;
}

int tls_check(
        struct report *report, struct wire *wire, const struct tls_flags *flags, bool is_quiet)
{
        SSL_CTX *context = SSL_CTX_new(TLS_client_method());
        int r = -ENOMEM;

        if (!context)
                return r;
        /* It goes on with whatever the server has, and says what is wrong with it. */
        SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL);
        SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
        r = use_files(report, context, flags, is_quiet);
        if (r == 0) {
                wire->ssl = open_session(context, wire, flags->name);
                r = wire->ssl ? shake(report, wire, flags, is_quiet) : -ENOMEM;
        }
        SSL_CTX_free(context);
        return r;
}
