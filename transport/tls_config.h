/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A quoit_tls: the names of files, and the newest context that was made from them. Shared by the listeners of
 * several servers; can be changed from any thread.
 */

#include <pthread.h>
#include <stdatomic.h>

#include <quoit/tls.h>

#include "transport/tls_newest.h"

struct quoit_tls {
        atomic_uint references;
        pthread_mutex_t changing; /* held while files are read: one change at a time */
        quoit_tls_options options; /* with our own copies of its strings */
        struct tls_source *sources;
        size_t source_count;
        struct tls_problem problem;
        struct tls_tickets tickets;
        struct tls_newest newest; /* none: no certificate yet */
};

/* One more reference; quoit_tls_free() drops it. */
quoit_tls *tls_config_ref(quoit_tls *tls);

/* A reference to the context for new handshakes; NULL: nothing was loaded. Any thread. */
struct tls_context *tls_config_context(quoit_tls *tls);
