/* SPDX-License-Identifier: MIT */
#include "transport/tls_identity.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/x509v3.h>

/* NULL also for a text with a NUL in it, which would be taken for another one: no such name is anybody's. */
static char *copy_text(const ASN1_STRING *text)
{
        const char *data = (const char *)ASN1_STRING_get0_data(text);
        size_t size = (size_t)ASN1_STRING_length(text);

        return memchr(data, 0, size) ? NULL : strndup(data, size);
}

static char *copy_ip(const ASN1_OCTET_STRING *ip)
{
        char text[INET6_ADDRSTRLEN];
        int family = ASN1_STRING_length(ip) == 4 ? AF_INET : AF_INET6;

        if (family == AF_INET6 && ASN1_STRING_length(ip) != 16)
                return NULL;
        return strdup(inet_ntop(family, ASN1_STRING_get0_data(ip), text, sizeof(text)));
}

static const struct {
        int type;
        quoit_peer_name_kind kind;
} name_kinds[] = {
        { GEN_DNS, QUOIT_PEER_NAME_DNS },
        { GEN_URI, QUOIT_PEER_NAME_URI },
        { GEN_EMAIL, QUOIT_PEER_NAME_EMAIL },
        { GEN_IPADD, QUOIT_PEER_NAME_IP },
};

/* False: a name of no kind that we tell, or a bad one. */
static bool copy_name(const GENERAL_NAME *from, quoit_peer_name *ret_name)
{
        int type;
        const void *value = GENERAL_NAME_get0_value(from, &type);

        for (size_t i = 0; i < sizeof(name_kinds) / sizeof(*name_kinds); i++) {
                if (name_kinds[i].type != type)
                        continue;
                ret_name->kind = name_kinds[i].kind;
                ret_name->text = type == GEN_IPADD ? copy_ip(value) : copy_text(value);
                return ret_name->text;
        }
        return false;
}

static int copy_names(X509 *x509, quoit_peer_tls *identity)
{
        GENERAL_NAMES *from = X509_get_ext_d2i(x509, NID_subject_alt_name, NULL, NULL);
        int count = from ? sk_GENERAL_NAME_num(from) : 0;
        quoit_peer_name *names = count > 0 ? calloc((size_t)count, sizeof(*names)) : NULL;

        identity->names = names;
        for (int i = 0; names && i < count; i++) {
                if (copy_name(sk_GENERAL_NAME_value(from, i), names + identity->name_count))
                        identity->name_count++;
        }
        GENERAL_NAMES_free(from);
        return count > 0 && !names ? -ENOMEM : 0;
}

static char *copy_subject(X509 *x509)
{
        BIO *bio = BIO_new(BIO_s_mem());
        char *data;
        char *subject = NULL;

        /* "CN=a,O=b"; what is no ASCII is escaped */
        if (bio && X509_NAME_print_ex(bio, X509_get_subject_name(x509), 0, XN_FLAG_RFC2253) >= 0) {
                long size = BIO_get_mem_data(bio, &data);

                subject = strndup(data, (size_t)size);
        }
        BIO_free(bio);
        return subject;
}

static int copy_certificate(X509 *x509, quoit_peer_tls *identity)
{
        unsigned char *der = NULL;
        int size = i2d_X509(x509, &der);

        identity->certificate = der;
        if (size < 0)
                return -ENOMEM;
        identity->certificate_bytes = (size_t)size;
        if (X509_digest(x509, EVP_sha256(), identity->fingerprint, NULL) != 1)
                return -ENOMEM;
        identity->subject = copy_subject(x509);
        return identity->subject ? copy_names(x509, identity) : -ENOMEM;
}

quoit_peer_tls *tls_identity_new(SSL *ssl)
{
        quoit_peer_tls *identity = calloc(1, sizeof(*identity));
        const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
        X509 *x509 = SSL_get0_peer_certificate(ssl);
        int r = 0;

        if (!identity)
                return NULL;
        /* these two are static texts of OpenSSL's */
        identity->version = SSL_get_version(ssl);
        identity->cipher = SSL_CIPHER_standard_name(SSL_get_current_cipher(ssl));
        identity->resumed = SSL_session_reused(ssl);
        if (name && !(identity->server_name = strdup(name)))
                r = -ENOMEM;
        if (r == 0 && x509)
                r = copy_certificate(x509, identity);
        if (r < 0) {
                tls_identity_free(identity);
                return NULL;
        }
        return identity;
}

void tls_identity_free(quoit_peer_tls *identity)
{
        if (!identity)
                return;
        for (size_t i = 0; i < identity->name_count; i++)
                free((char *)identity->names[i].text);
        free((quoit_peer_name *)identity->names);
        free((char *)identity->subject);
        free((char *)identity->server_name);
        OPENSSL_free((uint8_t *)identity->certificate);
        free(identity);
}
