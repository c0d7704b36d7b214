/* SPDX-License-Identifier: MIT */
#include "transport/tls_files.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>

/* NULL: *@ret_error and @problem say why. */
static FILE *open_file(
        const char *file, const char *what, int *ret_error, struct tls_problem *problem)
{
        FILE *stream = fopen(file, "re");

        if (!stream) {
                *ret_error = -errno;
                tls_problem_set(problem, *ret_error, "cannot read the %s %s: %s", what, file,
                        strerror(-*ret_error));
        }
        return stream;
}

/* PEM_read_*() found none: at the file's end that is as it should be. */
static bool is_end_of_pem(void)
{
        unsigned long error = ERR_peek_last_error();

        return ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
}

static int read_chain(FILE *stream, const char *file, struct tls_certificate *certificate,
        struct tls_problem *problem)
{
        X509 *x509;

        certificate->leaf = PEM_read_X509_AUX(stream, NULL, NULL, NULL);
        if (!certificate->leaf)
                return tls_problem_set(problem, -EINVAL,
                        "%s holds no certificate that can be read: give one in PEM", file);
        certificate->chain = sk_X509_new_null();
        if (!certificate->chain)
                return tls_problem_set(problem, -ENOMEM, "out of memory");
        while ((x509 = PEM_read_X509(stream, NULL, NULL, NULL))) {
                if (sk_X509_push(certificate->chain, x509) <= 0) {
                        X509_free(x509);
                        return tls_problem_set(problem, -ENOMEM, "out of memory");
                }
        }
        if (!is_end_of_pem())
                return tls_problem_set(problem, -EINVAL,
                        "%s: what follows its first certificate cannot be read as PEM: it may be "
                        "cut short",
                        file);
        ERR_clear_error();
        return 0;
}

static void describe_time(const ASN1_TIME *time, char *text, size_t size)
{
        struct tm parts;

        if (ASN1_TIME_to_tm(time, &parts) != 1 ||
                strftime(text, size, "%Y-%m-%d %H:%M:%S UTC", &parts) == 0)
                snprintf(text, size, "a date that cannot be read");
}

static int check_dates(const X509 *leaf, const char *file, struct tls_problem *problem)
{
        char date[64];

        /* X509_cmp_time(): 0 is an error, which a date that is none deserves */
        if (X509_cmp_current_time(X509_get0_notAfter(leaf)) <= 0) {
                describe_time(X509_get0_notAfter(leaf), date, sizeof(date));
                return tls_problem_set(problem, -EKEYEXPIRED,
                        "the certificate %s expired on %s: renew it", file, date);
        }
        if (X509_cmp_current_time(X509_get0_notBefore(leaf)) >= 0) {
                describe_time(X509_get0_notBefore(leaf), date, sizeof(date));
                return tls_problem_set(problem, -EKEYEXPIRED,
                        "the certificate %s is not valid before %s: is this machine's clock right?",
                        file, date);
        }
        return 0;
}

/* Nobody is there to be asked. */
static int on_passphrase(char *buffer, int size, int writing, void *user)
{
        bool *asked = user;

        (void)buffer;
        (void)size;
        (void)writing;
        *asked = true;
        return -1;
}

static int read_key(FILE *stream, const char *file, EVP_PKEY **ret_key, struct tls_problem *problem)
{
        bool asked = false;
        EVP_PKEY *key = PEM_read_PrivateKey(stream, NULL, on_passphrase, &asked);

        if (!key && asked)
                return tls_problem_set(problem, -EINVAL,
                        "the private key %s is encrypted: decrypt it with \"openssl pkey -in %s "
                        "-out NEW_FILE\"",
                        file, file);
        if (!key)
                return tls_problem_set(problem, -EINVAL,
                        "%s holds no private key that can be read: give one in PEM", file);
        *ret_key = key;
        return 0;
}

static int load_chain(
        const char *file, struct tls_certificate *certificate, struct tls_problem *problem)
{
        int r = 0;
        FILE *stream = open_file(file, "certificate", &r, problem);

        if (!stream)
                return r;
        r = read_chain(stream, file, certificate, problem);
        fclose(stream);
        return r < 0 ? r : check_dates(certificate->leaf, file, problem);
}

static int load_key(
        const char *file, struct tls_certificate *certificate, struct tls_problem *problem)
{
        int r = 0;
        FILE *stream = open_file(file, "private key", &r, problem);

        if (!stream)
                return r;
        r = read_key(stream, file, &certificate->key, problem);
        fclose(stream);
        return r;
}

int tls_certificate_load(const char *certificate_file, const char *key_file,
        struct tls_certificate *ret_certificate, struct tls_problem *problem)
{
        struct tls_certificate certificate = { 0 };
        int r;

        ERR_clear_error();
        r = load_chain(certificate_file, &certificate, problem);
        if (r == 0)
                r = load_key(key_file, &certificate, problem);
        if (r == 0 && X509_check_private_key(certificate.leaf, certificate.key) != 1)
                r = tls_problem_set(problem, -EINVAL,
                        "the private key %s does not match the certificate %s: give the one that "
                        "it was made with",
                        key_file, certificate_file);
        if (r < 0) {
                tls_certificate_deinit(&certificate);
                return r;
        }
        *ret_certificate = certificate;
        return 0;
}

void tls_certificate_deinit(struct tls_certificate *certificate)
{
        X509_free(certificate->leaf);
        sk_X509_pop_free(certificate->chain, X509_free);
        EVP_PKEY_free(certificate->key);
        *certificate = (struct tls_certificate){ 0 };
}
