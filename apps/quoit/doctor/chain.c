/* SPDX-License-Identifier: MIT */
#include "chain.h"

#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

enum { SOON_DAYS = 14, NAME_BYTES = 120 };

/* report_fail(), or where nobody asks who the server is, report_warn(). */
#define COMPLAIN(is_insecure) (*((is_insecure) ? report_warn : report_fail))

/* "CN=localhost, O=Example" */
static const char *name_text(const X509_NAME *name, char text[NAME_BYTES])
{
        BIO *memory = BIO_new(BIO_s_mem());
        int size = 0;

        if (memory && X509_NAME_print_ex(memory, name, 0, XN_FLAG_ONELINE & ~XN_FLAG_SPC_EQ) >= 0)
                size = BIO_read(memory, text, NAME_BYTES - 1);
        text[size > 0 ? size : 0] = '\0';
        BIO_free(memory);
        return text[0] ? text : "no name";
}

static void check_certificate(
        struct report *report, const X509 *certificate, const char *topic, bool is_insecure)
{
        char subject_text[NAME_BYTES], issuer_text[NAME_BYTES];
        const char *subject = name_text(X509_get_subject_name(certificate), subject_text);
        const char *issuer = name_text(X509_get_issuer_name(certificate), issuer_text);
        int days = 0, seconds = 0;

        (void)ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(certificate));
        if (X509_cmp_current_time(X509_get0_notBefore(certificate)) > 0)
                COMPLAIN(is_insecure)(report, topic, "set the clock, here or where it was signed",
                        "%s, by %s, is not valid yet", subject, issuer);
        else if (days < 0 || seconds < 0)
                COMPLAIN(is_insecure)(report, topic, "renew it, and have the server read it again",
                        "%s, by %s, has expired %d days ago", subject, issuer, -days);
        else if (days < SOON_DAYS)
                report_warn(report, topic, "renew it soon", "%s, by %s, expires in %d days",
                        subject, issuer, days);
        else
                report_ok(report, topic, "%s, by %s, %d days left", subject, issuer, days);
}

/* The names that a certificate is for: "localhost, 127.0.0.1". */
static void list_names(X509 *certificate, char *text, size_t size)
{
        GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
        BIO *memory = BIO_new(BIO_s_mem());
        int count = 0;

        for (int i = 0; memory && i < sk_GENERAL_NAME_num(names); i++) {
                if (i > 0)
                        BIO_puts(memory, ", ");
                GENERAL_NAME_print(memory, sk_GENERAL_NAME_value(names, i));
        }
        if (memory)
                count = BIO_read(memory, text, (int)size - 1);
        text[count > 0 ? count : 0] = '\0';
        BIO_free(memory);
        GENERAL_NAMES_free(names);
}

static bool is_for(X509 *certificate, const char *name)
{
        return X509_check_host(certificate, name, 0, 0, NULL) == 1 ||
               X509_check_ip_asc(certificate, name, 0) == 1;
}

static void check_name(struct report *report, X509 *certificate, const char *name, bool is_insecure)
{
        char names[FINDING_TEXT_BYTES / 2];

        if (is_for(certificate, name)) {
                report_ok(report, "name", "the certificate is for %s", name);
                return;
        }
        list_names(certificate, names, sizeof(names));
        COMPLAIN(is_insecure)(report, "name",
                "call it by a name of the certificate (--servername), or get one for this name",
                "the certificate is not for %s, but for %s", name,
                names[0] ? names : "no name at all");
}

static const char *advice_of(long error, int sent)
{
        switch (error) {
        case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
                return "trust it by --cacert FILE, or get one from an authority that the system "
                       "trusts";
        case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
                return "trust its authority by --cacert FILE, or add it to the system's "
                       "(update-ca-certificates)";
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
        case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
                return sent == 1 ? "trust its authority by --cacert FILE; or have the server send "
                                   "the certificates between, too (fullchain.pem)"
                                 : "trust its authority by --cacert FILE, or add it to the "
                                   "system's (update-ca-certificates)";
        case X509_V_ERR_CERT_HAS_EXPIRED:
                return "renew it, and have the server read it again";
        case X509_V_ERR_CERT_NOT_YET_VALID:
                return "set the clock, here or where it was signed";
        case X509_V_ERR_INVALID_PURPOSE:
                return "get a certificate for servers (extendedKeyUsage serverAuth)";
        default:
                return "look at it with openssl s_client -showcerts";
        }
}

void chain_check(struct report *report, SSL *ssl, const char *name, bool is_insecure)
{
        STACK_OF(X509) *chain = SSL_get_peer_cert_chain(ssl);
        int count = chain ? sk_X509_num(chain) : 0;
        long result = SSL_get_verify_result(ssl);

        for (int i = 0; i < count; i++) {
                char topic[32];

                snprintf(topic, sizeof(topic), i == 0 ? "certificate" : "certificate %d", i + 1);
                check_certificate(report, sk_X509_value(chain, i), topic, is_insecure);
        }
        if (count > 0 && name)
                check_name(report, sk_X509_value(chain, 0), name, is_insecure);
        if (result == X509_V_OK)
                report_ok(report, "chain", "trusted");
        else
                COMPLAIN(is_insecure)(report, "chain", advice_of(result, count), "not trusted: %s",
                        X509_verify_cert_error_string(result));
}
