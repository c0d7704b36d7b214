/* SPDX-License-Identifier: MIT */
#include "transport/tls_ca.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

/*
 * OpenSSL takes a certificate whose key it cannot decode, also if only memory was short for that; then nobody would be trusted for as
 * long as the program lives. A copy is decoded anew.
 */
static bool was_memory_short(X509 *certificate)
{
        X509 *copy;
        bool is_short;

        if (X509_get0_pubkey(certificate))
                return false;
        copy = X509_dup(certificate);
        is_short = !copy || X509_get0_pubkey(copy);
        X509_free(copy);
        return is_short;
}

static bool has_all_keys(SSL_CTX *ssl)
{
        const STACK_OF(X509_OBJECT) *objects = X509_STORE_get0_objects(SSL_CTX_get_cert_store(ssl));

        for (int i = 0; i < sk_X509_OBJECT_num(objects); i++) {
                X509 *certificate = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(objects, i));

                if (certificate && was_memory_short(certificate))
                        return false;
        }
        return true;
}

static int set_unreadable(struct tls_problem *problem, const char *file)
{
        return tls_problem_set(problem, -EINVAL,
                "%s holds no CA certificates that can be read: give them in PEM", file);
}

int tls_ca_load(const char *what, const char *file, SSL_CTX *ssl, STACK_OF(X509_NAME) * *ret_names,
        struct tls_problem *problem)
{
        if (access(file, R_OK) < 0) {
                int error = -errno;

                return tls_problem_set(
                        problem, error, "cannot read the %s %s: %s", what, file, strerror(-error));
        }
        if (SSL_CTX_load_verify_file(ssl, file) != 1)
                return set_unreadable(problem, file);
        if (!has_all_keys(ssl))
                return tls_problem_set(problem, -ENOMEM, "out of memory");
        if (ret_names && !(*ret_names = SSL_load_client_CA_file(file)))
                return set_unreadable(problem, file);
        return 0;
}
