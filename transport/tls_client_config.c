/* SPDX-License-Identifier: MIT */
#include "transport/tls_client_config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- the files ---- */

/* What they say becomes the newest context. */
static int load(struct tls_client_config *config, struct tls_problem *problem)
{
        const struct tls_client_options *options = &config->options;
        const struct tls_source source = { (char *)options->certificate_file,
                (char *)options->key_file };
        struct tls_context *context;
        int r;

        if (!options->certificate_file != !options->key_file)
                return tls_problem_set(problem, -EINVAL,
                        "a certificate_file needs a key_file, and a key_file a certificate_file");
        r = tls_context_new_client(
                &(struct tls_client_rules){
                        .options = &(quoit_tls_options){ .version_min = options->version_min },
                        .ca_file = options->ca_file,
                        .no_verification = options->no_verification,
                        .source = options->certificate_file ? &source : NULL,
                        .sessions_max = options->sessions_max,
                },
                &context, problem);
        if (r == 0)
                tls_newest_put(&config->newest, context);
        return r;
}

/* Becomes our own. False: no memory. */
static bool copy_text(const char **text)
{
        return !*text || (*text = strdup(*text));
}

static bool copy_options(const struct tls_client_options *options, struct tls_client_config *config)
{
        bool ok;

        config->options = *options;
        ok = copy_text(&config->options.ca_file);
        ok &= copy_text(&config->options.certificate_file);
        ok &= copy_text(&config->options.key_file);
        return ok;
}

/* ---- life ---- */

int tls_client_config_new(const struct tls_client_options *options,
        struct tls_client_config **ret_config, struct tls_problem *problem)
{
        struct tls_client_config *config = calloc(1, sizeof(*config));
        int r;

        if (!config)
                return tls_problem_set(problem, -ENOMEM, "out of memory");
        atomic_store(&config->references, 1);
        pthread_mutex_init(&config->changing, NULL);
        tls_newest_init(&config->newest);
        r = copy_options(options, config) ? load(config, problem)
                                          : tls_problem_set(problem, -ENOMEM, "out of memory");
        if (r < 0)
                tls_client_config_unref(config);
        else
                *ret_config = config;
        return r;
}

struct tls_client_config *tls_client_config_ref(struct tls_client_config *config)
{
        atomic_fetch_add_explicit(&config->references, 1, memory_order_relaxed);
        return config;
}

void tls_client_config_unref(struct tls_client_config *config)
{
        if (!config || atomic_fetch_sub(&config->references, 1) > 1)
                return;
        tls_newest_deinit(&config->newest);
        free((char *)config->options.ca_file);
        free((char *)config->options.certificate_file);
        free((char *)config->options.key_file);
        pthread_mutex_destroy(&config->changing);
        free(config);
}

/* ---- the context ---- */

struct tls_context *tls_client_config_context(struct tls_client_config *config)
{
        return tls_newest_get(&config->newest);
}

int tls_client_config_reload(struct tls_client_config *config, struct tls_problem *problem)
{
        int r;

        pthread_mutex_lock(&config->changing);
        r = load(config, problem);
        pthread_mutex_unlock(&config->changing);
        return r;
}
