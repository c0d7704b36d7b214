/* SPDX-License-Identifier: MIT */
#include "transport/tls_clients.h"

#include <errno.h>
#include <stdbool.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "transport/tls_ca.h"

#define CHAIN_BYTES_MAX (64 << 10) /* of a client's certificates */
#define CHAIN_LENGTH_MAX                                                                           \
        5 /* between a client's certificate and its root: each is a signature to be checked */

/* What lets a client in, as a digest. */
static bool hash_rules(const quoit_tls_options *options, SSL_CTX *ssl, EVP_MD_CTX *hash,
        unsigned char *digest, unsigned *ret_size)
{
        const STACK_OF(X509_OBJECT) *objects = X509_STORE_get0_objects(SSL_CTX_get_cert_store(ssl));
        unsigned char mode = (unsigned char)options->client_auth;
        bool ok = EVP_DigestInit_ex(hash, EVP_sha256(), NULL) == 1 &&
                  EVP_DigestUpdate(hash, &mode, sizeof(mode)) == 1;

        for (int i = 0; ok && i < sk_X509_OBJECT_num(objects); i++) {
                const X509 *ca = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(objects, i));
                unsigned char fingerprint[EVP_MAX_MD_SIZE];
                unsigned size = 0;

                if (ca)
                        ok = X509_digest(ca, EVP_sha256(), fingerprint, &size) == 1 &&
                             EVP_DigestUpdate(hash, fingerprint, size) == 1;
        }
        return ok && EVP_DigestFinal_ex(hash, digest, ret_size) == 1;
}

/*
 * A ticket says that its client was let in, and OpenSSL believes it: so it is good for the rules alone that it was
 * made under. After a reload that takes a CA away its clients have to show themselves again.
 */
static int bind_sessions(const quoit_tls_options *options, SSL_CTX *ssl)
{
        unsigned char digest[EVP_MAX_MD_SIZE];
        unsigned size = 0;
        EVP_MD_CTX *hash = EVP_MD_CTX_new();
        bool ok = hash && hash_rules(options, ssl, hash, digest, &size) &&
                  SSL_CTX_set_session_id_context(ssl, digest, size) == 1;

        EVP_MD_CTX_free(hash);
        return ok ? 0 : -ENOMEM;
}

int tls_clients_attach(const quoit_tls_options *options, SSL_CTX *ssl, struct tls_problem *problem)
{
        STACK_OF(X509_NAME) * names;
        int r;

        if (options->client_auth != QUOIT_TLS_CLIENT_AUTH_NONE) {
                if (!options->client_ca_file)
                        return tls_problem_set(problem, -EINVAL,
                                "clients are asked for certificates, but there is no client CA to "
                                "check them by: name its file");
                r = tls_ca_load("client CA", options->client_ca_file, ssl, &names, problem);
                if (r < 0)
                        return r;
                SSL_CTX_set_client_CA_list(ssl, names); /* sent to clients, which choose by them */
                SSL_CTX_set_verify(ssl,
                        options->client_auth == QUOIT_TLS_CLIENT_AUTH_REQUIRE
                                ? SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT
                                : SSL_VERIFY_PEER,
                        NULL);
                SSL_CTX_set_verify_depth(ssl, CHAIN_LENGTH_MAX);
                SSL_CTX_set_max_cert_list(ssl, CHAIN_BYTES_MAX);
        } else if (options->client_ca_file) {
                return tls_problem_set(problem, -EINVAL,
                        "there is a client CA, but clients are not asked for certificates: say "
                        "request or require");
        }
        r = bind_sessions(options, ssl);
        return r < 0 ? tls_problem_set(problem, r, "out of memory") : 0;
}
