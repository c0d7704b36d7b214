/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The keys that session tickets are sealed with (RFC 5077 section 4): the server gives its memory of a session to
 * the client, sealed. The key of now seals and opens; the one before it still opens, so nothing is lost when
 * keys change. Shared by all rings, and by the contexts before and after a reload.
 */

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include <openssl/ssl.h>

#include "transport/tls_problem.h"

#define TLS_TICKET_SECONDS                                                                         \
        ((uint64_t)2 * 60 * 60) /* how long a ticket is good, and how long a key seals */

struct tls_ticket_key {
        uint8_t name[16]; /* sent with the ticket, in the clear */
        uint8_t mac[32];
        uint8_t aes[32];
};

struct tls_tickets {
        pthread_mutex_t mutex;
        struct tls_ticket_key keys[2]; /* the one of now, the one before */
        unsigned count;
        bool has_sealed; /* the one of now, */
        uint64_t sealed_s; /* and when it did first */
        bool from_file; /* changes only when the file does */
};

void tls_tickets_init(struct tls_tickets *tickets);
void tls_tickets_deinit(struct tls_tickets *tickets);

/*
 * A new key: what @file holds (nothing changes if it is the key of now), or where it is NULL a random one.
 * 0; -EINVAL: the file's size is wrong; a negative errno of reading it; -EIO: no random numbers.
 */
int tls_tickets_renew(struct tls_tickets *tickets, const char *file, struct tls_problem *problem);

/* The key to seal with at @now_s, a new one if this has sealed for too long. 0, -EIO. Any thread. */
int tls_tickets_sealing(
        struct tls_tickets *tickets, uint64_t now_s, struct tls_ticket_key *ret_key);

/* The key called @name: 1, it seals too; 2, it is the one before; 0, unknown and nothing returned. Any thread. */
int tls_tickets_find(
        struct tls_tickets *tickets, const uint8_t name[16], struct tls_ticket_key *ret_key);

/* The sessions of @ssl are resumed by tickets sealed with these keys, which outlive it. Its connections are of struct tls. */
void tls_tickets_attach(struct tls_tickets *tickets, SSL_CTX *ssl);
