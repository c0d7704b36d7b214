/* SPDX-License-Identifier: MIT */
#pragma once

/* The newest context of a configuration: who makes it puts it in, from any thread, and rings take it for new connections. */

#include <pthread.h>

#include "transport/tls_context.h"

struct tls_newest {
        pthread_mutex_t mutex; /* held only briefly, because rings take it */
        struct tls_context *context; /* NULL: there is none yet */
};

void tls_newest_init(struct tls_newest *newest);
void tls_newest_deinit(struct tls_newest *newest);

/* A reference to it, or NULL. */
struct tls_context *tls_newest_get(struct tls_newest *newest);

/* In place of the one before. Takes the caller's reference. */
void tls_newest_put(struct tls_newest *newest, struct tls_context *context);
