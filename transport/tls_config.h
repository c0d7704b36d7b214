/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What is behind a quoit_tls: the names of files, and the context that was made from them last. Shared by the
 * listeners of several servers; changed from any thread.
 */

#include <pthread.h>
#include <stdatomic.h>

#include <quoit/tls.h>

#include "transport/tls_context.h"

struct quoit_tls {
        atomic_uint references;
        pthread_mutex_t changing; /* held while files are read: one change at a time */
        quoit_tls_options options; /* its texts are ours */
        struct tls_source *sources;
        size_t source_count;
        struct tls_problem problem;
        struct tls_tickets tickets;
        pthread_mutex_t mutex; /* of the context, for a moment only: rings take it */
        struct tls_context *context; /* NULL: no certificate yet */
};

/* One more reference, to be given up by quoit_tls_free(). */
quoit_tls *tls_config_ref(quoit_tls *tls);

/* A reference to what handshakes go by now; NULL: nothing was loaded. Any thread. */
struct tls_context *tls_config_context(quoit_tls *tls);
