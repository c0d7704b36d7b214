/* SPDX-License-Identifier: MIT */
#include "transport/tls_ca.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

int tls_ca_load(const char *what, const char *file, SSL_CTX *ssl, STACK_OF(X509_NAME) * *ret_names,
        struct tls_problem *problem)
{
        if (access(file, R_OK) < 0) {
                int error = -errno;

                return tls_problem_set(
                        problem, error, "cannot read the %s %s: %s", what, file, strerror(-error));
        }
        if (SSL_CTX_load_verify_file(ssl, file) != 1 ||
                (ret_names && !(*ret_names = SSL_load_client_CA_file(file))))
                return tls_problem_set(problem, -EINVAL,
                        "%s holds no CA certificates that can be read: give them in PEM", file);
        return 0;
}
