/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The keys of session tickets (RFC 5077 section 4): the server gives the state of a session to the client, sealed.
 * The current key seals and opens; the previous one still opens, so no session is lost when keys change. Shared by
 * all rings, and by the contexts before and after a reload.
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
        struct tls_ticket_key keys[2]; /* the current one, the previous one */
        unsigned count;
        bool has_sealed; /* the current one */
        uint64_t sealed_s; /* when it first did */
        bool from_file; /* changes only when the file does */
};

void tls_tickets_init(struct tls_tickets *tickets);
void tls_tickets_deinit(struct tls_tickets *tickets);

/*
 * A new key: the content of @file (nothing changes if it is the current key), or a random one if @file is NULL.
 * 0; -EINVAL: the file's size is wrong; a negative errno of reading it; -EIO: no random numbers.
 */
int tls_tickets_renew(struct tls_tickets *tickets, const char *file, struct tls_problem *problem);

/* The key to seal with at @now_s; a new one if the current one was used for too long. 0, -EIO. Any thread. */
int tls_tickets_sealing(
        struct tls_tickets *tickets, uint64_t now_s, struct tls_ticket_key *ret_key);

/* The key with this @name. 1: the current one; 2: the previous one; 0: unknown, nothing is returned. Any thread. */
int tls_tickets_find(
        struct tls_tickets *tickets, const uint8_t name[16], struct tls_ticket_key *ret_key);

/* Sessions of @ssl will use tickets with these keys, which outlive it. Its connections must belong to a struct tls. 0, -ENOMEM. */
int tls_tickets_attach(struct tls_tickets *tickets, SSL_CTX *ssl);
