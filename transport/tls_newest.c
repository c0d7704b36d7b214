/* SPDX-License-Identifier: MIT */
#include "transport/tls_newest.h"

void tls_newest_init(struct tls_newest *newest)
{
        newest->context = NULL;
        pthread_mutex_init(&newest->mutex, NULL);
}

void tls_newest_deinit(struct tls_newest *newest)
{
        tls_context_unref(newest->context);
        pthread_mutex_destroy(&newest->mutex);
}

struct tls_context *tls_newest_get(struct tls_newest *newest)
{
        struct tls_context *context;

        pthread_mutex_lock(&newest->mutex);
        context = newest->context ? tls_context_ref(newest->context) : NULL;
        pthread_mutex_unlock(&newest->mutex);
        return context;
}

void tls_newest_put(struct tls_newest *newest, struct tls_context *context)
{
        struct tls_context *old;

        pthread_mutex_lock(&newest->mutex);
        old = newest->context;
        newest->context = context;
        pthread_mutex_unlock(&newest->mutex);
        tls_context_unref(old);
}
