/* SPDX-License-Identifier: MIT */
#include "pki.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

static X509 *make_certificate(EVP_PKEY *key, const char *names)
{
        X509 *x509 = X509_new();
        X509V3_CTX context;
        X509_EXTENSION *extension;

        X509V3_set_ctx_nodb(&context);
        X509V3_set_ctx(&context, x509, x509, NULL, NULL, 0);
        extension = X509V3_EXT_conf_nid(NULL, &context, NID_subject_alt_name, names);
        assert(x509 && extension);
        X509_set_version(x509, X509_VERSION_3);
        ASN1_INTEGER_set(X509_get_serialNumber(x509), 1);
        X509_gmtime_adj(X509_getm_notBefore(x509), -60);
        X509_gmtime_adj(X509_getm_notAfter(x509), 24 * 60 * 60);
        X509_set_pubkey(x509, key);
        X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "CN", MBSTRING_ASC,
                (const unsigned char *)"a test", -1, -1, 0);
        X509_set_issuer_name(x509, X509_get_subject_name(x509));
        X509_add_ext(x509, extension, -1);
        X509_EXTENSION_free(extension);
        assert(X509_sign(x509, key, NULL) > 0);
        return x509;
}

/* A memfd with the rest of what @bio was given. */
static int make_file(BIO *bio, char name[32])
{
        int fd = memfd_create("pki", MFD_CLOEXEC);
        char *data;
        long size = BIO_get_mem_data(bio, &data);

        assert(fd >= 0 && write(fd, data, (size_t)size) == size);
        snprintf(name, 32, "/proc/self/fd/%d", fd);
        BIO_free(bio);
        return fd;
}

void pki_init(struct pki *pki, const char *names)
{
        BIO *certificate = BIO_new(BIO_s_mem());
        BIO *key = BIO_new(BIO_s_mem());

        pki->key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
        assert(pki->key);
        pki->x509 = make_certificate(pki->key, names);
        assert(PEM_write_bio_X509(certificate, pki->x509) == 1);
        assert(PEM_write_bio_PrivateKey(key, pki->key, NULL, NULL, 0, NULL, NULL) == 1);
        pki->certificate_fd = make_file(certificate, pki->certificate_file);
        pki->key_fd = make_file(key, pki->key_file);
}

void pki_deinit(struct pki *pki)
{
        X509_free(pki->x509);
        EVP_PKEY_free(pki->key);
        close(pki->certificate_fd);
        close(pki->key_fd);
}

quoit_tls *pki_rules(const struct pki *pki, const quoit_tls_options *options)
{
        quoit_tls *rules = NULL;

        if (quoit_tls_new(options, &rules) < 0 ||
                quoit_tls_add_certificate(rules, pki->certificate_file, pki->key_file) < 0)
                abort();
        return rules;
}

SSL *pki_client(const struct pki *pki)
{
        static const unsigned char h2[] = { 2, 'h', '2' };
        SSL_CTX *context = SSL_CTX_new(TLS_client_method());
        SSL *client;

        SSL_CTX_use_certificate(context, pki->x509);
        SSL_CTX_use_PrivateKey(context, pki->key);
        client = SSL_new(context);
        SSL_CTX_free(context);
        SSL_set_bio(client, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
        SSL_set_alpn_protos(client, h2, sizeof(h2));
        SSL_set_tlsext_host_name(client, "localhost");
        SSL_set_connect_state(client);
        return client;
}

size_t pki_client_take(SSL *client, uint8_t *data, size_t size)
{
        int taken = BIO_read(SSL_get_wbio(client), data, (int)size);

        return taken > 0 ? (size_t)taken : 0;
}

void pki_client_give(SSL *client, struct tls *tls)
{
        struct tls_bytes bytes = tls_take(tls);

        if (bytes.size > 0)
                BIO_write(SSL_get_rbio(client), bytes.data, (int)bytes.size);
        free(bytes.data);
}
