/* SPDX-License-Identifier: MIT */
#include "transport/tls_tickets.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "core/clock.h"
#include "transport/tls.h"

void tls_tickets_init(struct tls_tickets *tickets)
{
        *tickets = (struct tls_tickets){ 0 };
        pthread_mutex_init(&tickets->mutex, NULL);
}

void tls_tickets_deinit(struct tls_tickets *tickets)
{
        OPENSSL_cleanse(tickets->keys, sizeof(tickets->keys));
        pthread_mutex_destroy(&tickets->mutex);
}

/* With the mutex. */
static void put_first(struct tls_tickets *tickets, const struct tls_ticket_key *key)
{
        tickets->keys[1] = tickets->keys[0];
        tickets->keys[0] = *key;
        tickets->count = tickets->count == 0 ? 1 : 2;
        tickets->has_sealed = false;
}

static int make_random(struct tls_ticket_key *key)
{
        return RAND_bytes((unsigned char *)key, sizeof(*key)) == 1 ? 0 : -EIO;
}

static int read_key(const char *file, struct tls_ticket_key *key, struct tls_problem *problem)
{
        FILE *stream = fopen(file, "re");
        bool whole;
        int error = -errno;

        if (!stream)
                return tls_problem_set(problem, error, "cannot read the ticket key %s: %s", file,
                        strerror(-error));
        setvbuf(stream, NULL, _IONBF, 0); /* no copy of a secret stays in a buffer */
        whole = fread(key, sizeof(*key), 1, stream) == 1 && fgetc(stream) == EOF;
        fclose(stream);
        if (!whole)
                return tls_problem_set(problem, -EINVAL,
                        "the ticket key %s is not of %zu bytes: make one with \"openssl rand -out "
                        "NEWFILE %zu\"",
                        file, sizeof(*key), sizeof(*key));
        return 0;
}

int tls_tickets_renew(struct tls_tickets *tickets, const char *file, struct tls_problem *problem)
{
        struct tls_ticket_key key;
        int r = file ? read_key(file, &key, problem) : make_random(&key);

        if (r < 0) {
                OPENSSL_cleanse(&key, sizeof(key));
                return file ? r : tls_problem_set(problem, r, "no random numbers for a ticket key");
        }
        pthread_mutex_lock(&tickets->mutex);
        tickets->from_file = file != NULL;
        if (tickets->count == 0 || CRYPTO_memcmp(&tickets->keys[0], &key, sizeof(key)) != 0)
                put_first(tickets, &key);
        pthread_mutex_unlock(&tickets->mutex);
        OPENSSL_cleanse(&key, sizeof(key));
        return 0;
}

int tls_tickets_sealing(struct tls_tickets *tickets, uint64_t now_s, struct tls_ticket_key *ret_key)
{
        struct tls_ticket_key key;
        int r = 0;

        pthread_mutex_lock(&tickets->mutex);
        if (!tickets->from_file && tickets->has_sealed &&
                now_s >= tickets->sealed_s + TLS_TICKET_SECONDS) {
                r = make_random(&key);
                if (r == 0)
                        put_first(tickets, &key);
                OPENSSL_cleanse(&key, sizeof(key));
        }
        if (r == 0) {
                if (!tickets->has_sealed)
                        tickets->sealed_s = now_s;
                tickets->has_sealed = true;
                *ret_key = tickets->keys[0];
        }
        pthread_mutex_unlock(&tickets->mutex);
        return r;
}

int tls_tickets_find(
        struct tls_tickets *tickets, const uint8_t name[16], struct tls_ticket_key *ret_key)
{
        int found = 0;

        pthread_mutex_lock(&tickets->mutex);
        for (unsigned i = 0; found == 0 && i < tickets->count; i++) {
                if (memcmp(tickets->keys[i].name, name, sizeof(tickets->keys[i].name)) == 0) {
                        *ret_key = tickets->keys[i];
                        found = (int)i + 1;
                }
        }
        pthread_mutex_unlock(&tickets->mutex);
        return found;
}

/* ---- OpenSSL's side ---- */

static int set_mac(EVP_MAC_CTX *mac, struct tls_ticket_key *key)
{
        static char digest[] = "SHA256";
        OSSL_PARAM params[] = {
                OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key->mac, sizeof(key->mac)),
                OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                OSSL_PARAM_construct_end(),
        };

        return EVP_MAC_CTX_set_params(mac, params);
}

static int start_sealing(struct tls_tickets *tickets, uint64_t now_s, unsigned char *name,
        unsigned char *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac)
{
        struct tls_ticket_key key;
        bool ok;

        if (tls_tickets_sealing(tickets, now_s, &key) < 0)
                return -1;
        ok = RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) == 1 &&
             EVP_EncryptInit_ex(cipher, EVP_aes_256_cbc(), NULL, key.aes, iv) == 1 &&
             set_mac(mac, &key) == 1;
        memcpy(name, key.name, sizeof(key.name));
        OPENSSL_cleanse(&key, sizeof(key));
        return ok ? 1 : -1;
}

static int start_opening(struct tls_tickets *tickets, const unsigned char *name,
        const unsigned char *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac)
{
        struct tls_ticket_key key;
        int found = tls_tickets_find(tickets, name, &key);

        if (found == 0)
                return 0; /* a full handshake, and a new ticket */
        if (set_mac(mac, &key) != 1 ||
                EVP_DecryptInit_ex(cipher, EVP_aes_256_cbc(), NULL, key.aes, iv) != 1)
                found = -1;
        OPENSSL_cleanse(&key, sizeof(key));
        return found;
}

static int on_ticket(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
        EVP_MAC_CTX *mac, int sealing)
{
        struct tls_tickets *tickets = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
        const struct tls *tls = SSL_get_app_data(ssl);
        int found;

        if (sealing)
                return start_sealing(tickets, tls->now_ns / NS_PER_S, name, iv, cipher, mac);
        found = start_opening(tickets, name, iv, cipher, mac);
        /* 2, the key before: OpenSSL sends a new ticket too. So it must where a ticket is for a single use (RFC 8446 appendix C.4) */
        return found == 1 && SSL_version(ssl) == TLS1_3_VERSION ? 2 : found;
}

int tls_tickets_attach(struct tls_tickets *tickets, SSL_CTX *ssl)
{
        if (SSL_CTX_set_app_data(ssl, tickets) != 1)
                return -ENOMEM;
        SSL_CTX_set_tlsext_ticket_key_evp_cb(ssl, on_ticket);
        SSL_CTX_set_timeout(ssl, (long)TLS_TICKET_SECONDS);
        SSL_CTX_set_num_tickets(
                ssl, 1); /* gRPC's clients keep one connection, not six as browsers do */
        return 0;
}
