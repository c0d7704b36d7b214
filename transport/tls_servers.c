/* SPDX-License-Identifier: MIT */
#include "transport/tls_servers.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include <openssl/x509v3.h>

#include "transport/tls_ca.h"

#define CHAIN_BYTES_MAX (64 << 10) /* of a server's certificates */
#define CHAIN_LENGTH_MAX                                                                           \
        8 /* between a server's certificate and its root: each is a signature to be checked */

int tls_servers_attach(
        const char *ca_file, bool verifies, SSL_CTX *ssl, struct tls_problem *problem)
{
        int r = 0;

        if (ca_file)
                r = tls_ca_load("CA", ca_file, ssl, NULL, problem);
        else if (SSL_CTX_set_default_verify_paths(ssl) != 1)
                r = tls_problem_set(problem, -EINVAL,
                        "the system's CA certificates cannot be read: %s", tls_problem_openssl());
        SSL_CTX_set_verify(ssl, verifies ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
        SSL_CTX_set_verify_depth(ssl, CHAIN_LENGTH_MAX);
        SSL_CTX_set_max_cert_list(ssl, CHAIN_BYTES_MAX);
        return r;
}

static bool is_address(const char *name)
{
        struct in6_addr address;

        return inet_pton(AF_INET, name, &address) == 1 || inet_pton(AF_INET6, name, &address) == 1;
}

int tls_servers_expect(SSL *ssl, const char *name)
{
        if (*name == '\0' || strlen(name) > TLSEXT_MAXLEN_host_name)
                return -EINVAL;
        /* RFC 9525: a wildcard is a whole label, and the subject's name counts for nothing */
        SSL_set_hostflags(
                ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
        if (is_address(name))
                return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name) == 1 ? 0 : -ENOMEM;
        return SSL_set1_host(ssl, name) == 1 && SSL_set_tlsext_host_name(ssl, name) == 1 ? 0
                                                                                         : -ENOMEM;
}
