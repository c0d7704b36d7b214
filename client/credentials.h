/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Call credentials: what makes metadata for attempts. What they have made is a grant. The request for one belongs to two: to the ring, while
 * the attempt waits for it, and to the plugin, until that has answered.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include <quoit/client.h>

#include "call/fields.h"
#include "core/mailbox.h"

#define CREDENTIALS_TEXT_BYTES 256 /* that are kept of a plugin's text */
#define CREDENTIALS_TOKEN_BYTES_MAX ((size_t)16 << 10)

struct client;

/* Fields that do not change, counted by reference. */
struct grant {
        atomic_uint references;
        struct upb_Arena *arena; /* of all of it */
        struct fields fields;
};

/* Takes NULL. Any thread. */
void grant_unref(struct grant *grant);

struct quoit_call_credentials {
        atomic_uint references;
        quoit_credentials_plugin plugin; /* without on_request: */
        void *user;
        pthread_mutex_t mutex;
        struct grant *bearer; /* under the mutex */
};

/* Any thread. Takes NULL. */
quoit_call_credentials *credentials_ref(quoit_call_credentials *credentials);

/* What came of a request. */
struct credentials_answer {
        struct grant *grant; /* whose reference it has; NULL: it failed */
        quoit_status status;
        char text[CREDENTIALS_TEXT_BYTES];
};

struct quoit_credentials_request {
        struct mail mail; /* with a late answer */
        void (*on_answer)(
                struct quoit_credentials_request *request); /* on the ring; it takes the answer */
        void *user; /* the ring's; NULL: the attempt does not wait for it any more */
        quoit_call_credentials *credentials;
        size_t bytes_max;

        pthread_mutex_t mutex; /* of what follows */
        unsigned references;
        struct client *client; /* NULL: not wanted any more */
        bool is_late; /* an answer comes by mail */
        bool is_answered;
        struct credentials_answer answer;

        const char *method;
        char url[]; /* and behind it the method */
};

/* As quoit_credentials_request_url() and _method(). */
struct credentials_subject {
        const char *scheme, *authority, *path;
};

/*
 * Asks @credentials for what an attempt of @client says, on its ring. 1: *@ret_answer has it; 0: @on_answer will be called, of
 * *@ret_request, which the caller ends with credentials_end(); -ENOMEM.
 */
int credentials_ask(quoit_call_credentials *credentials, struct client *client,
        const struct credentials_subject *subject,
        void (*on_answer)(struct quoit_credentials_request *request), void *user,
        struct quoit_credentials_request **ret_request, struct credentials_answer *ret_answer);

/* The attempt does not wait for it any more: it has the answer, or is over. On the ring. */
void credentials_end(struct quoit_credentials_request *request);
