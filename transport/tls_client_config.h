/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * TLS of one channel: the names of its files, and the newest context that was made from them. What quoit_tls is to a server
 * (tls_config.h). Counted by reference; can be changed from any thread.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "transport/tls_newest.h"

/* As quoit_channel_tls has them. */
struct tls_client_options {
        const char *ca_file; /* NULL: whom the system trusts */
        bool no_verification;
        const char *certificate_file; /* NULL: none */
        const char *key_file; /* with it */
        quoit_tls_version version_min;
        unsigned sessions_max;
};

struct tls_client_config {
        atomic_uint references;
        pthread_mutex_t changing; /* held while files are read: one change at a time */
        struct tls_client_options options; /* with our own copies of its strings */
        struct tls_newest newest;
};

/* With one reference; its files are read. 0; -EINVAL also for a certificate without a key, or a key without one; as tls_context_new_client(). */
int tls_client_config_new(const struct tls_client_options *options,
        struct tls_client_config **ret_config, struct tls_problem *problem);

struct tls_client_config *tls_client_config_ref(struct tls_client_config *config);

/* Any thread. Takes NULL. */
void tls_client_config_unref(struct tls_client_config *config);

/* A reference to the context for new connections. Any thread. */
struct tls_context *tls_client_config_context(struct tls_client_config *config);

/*
 * Reads the files again. What was kept of sessions is forgotten: they were made with what the files said before. Any thread; waits for
 * the disk. 0, or as tls_client_config_new() and nothing has changed.
 */
int tls_client_config_reload(struct tls_client_config *config, struct tls_problem *problem);
