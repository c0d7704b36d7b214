/* SPDX-License-Identifier: MIT */
#include "transport/tls_config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <quoit/tls.h>

/* ---- life ---- */

static int copy_text(const char **text)
{
        if (*text && !(*text = strdup(*text)))
                return -ENOMEM;
        return 0;
}

/* Every text becomes our own, or NULL where memory is short. */
static int copy_options(quoit_tls_options *options)
{
        int r = copy_text(&options->client_ca_file);

        r |= copy_text(&options->cipher_list);
        r |= copy_text(&options->cipher_suites);
        r |= copy_text(&options->groups);
        r |= copy_text(&options->ticket_key_file);
        return r < 0 ? -ENOMEM : 0;
}

int quoit_tls_new(const quoit_tls_options *options, quoit_tls **ret_tls)
{
        quoit_tls *tls = calloc(1, sizeof(*tls));

        if (!tls)
                return -ENOMEM;
        if (options)
                tls->options = *options;
        atomic_store(&tls->references, 1);
        pthread_mutex_init(&tls->changing, NULL);
        tls_newest_init(&tls->newest);
        tls_tickets_init(&tls->tickets);
        if (copy_options(&tls->options) < 0) {
                quoit_tls_free(tls);
                return -ENOMEM;
        }
        *ret_tls = tls;
        return 0;
}

static void source_deinit(struct tls_source *source)
{
        free(source->certificate_file);
        free(source->key_file);
}

quoit_tls *quoit_tls_free(quoit_tls *tls)
{
        if (!tls || atomic_fetch_sub(&tls->references, 1) > 1)
                return NULL;
        tls_newest_deinit(&tls->newest);
        for (size_t i = 0; i < tls->source_count; i++)
                source_deinit(tls->sources + i);
        free(tls->sources);
        free((char *)tls->options.client_ca_file);
        free((char *)tls->options.cipher_list);
        free((char *)tls->options.cipher_suites);
        free((char *)tls->options.groups);
        free((char *)tls->options.ticket_key_file);
        tls_tickets_deinit(&tls->tickets);
        pthread_mutex_destroy(&tls->changing);
        free(tls);
        return NULL;
}

quoit_tls *tls_config_ref(quoit_tls *tls)
{
        atomic_fetch_add_explicit(&tls->references, 1, memory_order_relaxed);
        return tls;
}

struct tls_context *tls_config_context(quoit_tls *tls)
{
        return tls_newest_get(&tls->newest);
}

/* ---- change ---- */

/* Reads all files into a new context. With `changing`, without the rings' mutex: they go on meanwhile. */
static int load(quoit_tls *tls)
{
        const struct tls_rules rules = {
                .options = &tls->options,
                .sources = tls->sources,
                .source_count = tls->source_count,
                .tickets = &tls->tickets,
        };
        struct tls_context *context;
        int r = tls_context_new(&rules, &context, &tls->problem);

        if (r < 0)
                return r;
        r = tls_tickets_renew(&tls->tickets, tls->options.ticket_key_file, &tls->problem);
        if (r < 0) {
                tls_context_unref(context);
                return r;
        }
        tls_newest_put(&tls->newest, context);
        return 0;
}

/* Behind those that are there; 0, -ENOMEM. */
static int push_source(quoit_tls *tls, const char *certificate_file, const char *key_file)
{
        struct tls_source source = { strdup(certificate_file), strdup(key_file) };
        struct tls_source *sources =
                reallocarray(tls->sources, tls->source_count + 1, sizeof(*tls->sources));

        if (sources)
                tls->sources = sources;
        if (!sources || !source.certificate_file || !source.key_file) {
                source_deinit(&source);
                return tls_problem_set(&tls->problem, -ENOMEM, "out of memory");
        }
        tls->sources[tls->source_count++] = source;
        return 0;
}

int quoit_tls_add_certificate(quoit_tls *tls, const char *certificate_file, const char *key_file)
{
        int r;

        pthread_mutex_lock(&tls->changing);
        r = push_source(tls, certificate_file, key_file);
        if (r == 0) {
                r = load(tls);
                if (r < 0)
                        source_deinit(tls->sources + --tls->source_count);
        }
        pthread_mutex_unlock(&tls->changing);
        return r;
}

int quoit_tls_reload(quoit_tls *tls)
{
        int r;

        pthread_mutex_lock(&tls->changing);
        if (tls->source_count == 0)
                r = tls_problem_set(&tls->problem, -EINVAL,
                        "there is no certificate to read again: add one first");
        else
                r = load(tls);
        pthread_mutex_unlock(&tls->changing);
        return r;
}

const char *quoit_tls_problem(const quoit_tls *tls)
{
        return tls->problem.text;
}
