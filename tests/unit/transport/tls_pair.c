/* SPDX-License-Identifier: MIT */
#include "tls_pair.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct tls_context *tls_pair_context(const struct pki *pki, const struct tls_how *how)
{
        const struct tls_source source = { (char *)pki->certificate_file, (char *)pki->key_file };
        const struct tls_client_rules rules = {
                .options = &how->client,
                .ca_file = pki->certificate_file,
                .source = how->shows_certificate ? &source : NULL,
                .sessions_max = how->sessions_max,
        };
        struct tls_context *context;
        struct tls_problem problem;

        assert_int_equal(tls_context_new_client(&rules, &context, &problem), 0);
        return context;
}

static void init_client(struct tls *client, struct tls_context *context, const struct tls_how *how)
{
        const char *name = how->name ? how->name : "localhost";

        assert_int_equal(tls_init_client(client, context, name), 0);
        assert_int_equal(tls_resume(client, name, how->place, 0), 0);
}

static void init_server(struct tls_pair *pair)
{
        struct tls_context *context = tls_config_context(pair->rules);

        assert_int_equal(tls_init_server(&pair->server, context), 0);
        tls_context_unref(context);
}

struct tls_pair *tls_pair_new(const struct tls_how *how)
{
        struct tls_pair *pair = calloc(1, sizeof(*pair));
        quoit_tls_options options = how->server;
        struct tls_context *context;
        struct pki other;

        assert_non_null(pair);
        pair->piece = how->piece ? how->piece : 16384;
        pki_init(&pair->pki, how->names ? how->names : "DNS:localhost");
        if (options.client_auth)
                options.client_ca_file = pair->pki.certificate_file;
        pair->rules = pki_rules(&pair->pki, &options);
        init_server(pair);
        if (how->trusts_others)
                pki_init(&other, "DNS:localhost");
        context = tls_pair_context(how->trusts_others ? &other : &pair->pki, how);
        if (how->trusts_others)
                pki_deinit(&other);
        init_client(&pair->client, context, how);
        tls_context_unref(context);
        return pair;
}

void tls_pair_reconnect(struct tls_pair *pair, const struct tls_how *how)
{
        struct tls_context *context = tls_context_ref(pair->client.context);

        tls_deinit(&pair->client);
        tls_deinit(&pair->server);
        *pair->client_read = *pair->server_read = '\0';
        pair->client_r = pair->server_r = 0;
        init_server(pair);
        init_client(&pair->client, context, how);
        tls_context_unref(context);
}

void tls_pair_free(struct tls_pair *pair)
{
        tls_deinit(&pair->client);
        tls_deinit(&pair->server);
        quoit_tls_free(pair->rules);
        pki_deinit(&pair->pki);
        free(pair);
}

int tls_pair_go_on(struct tls *tls, struct tls_problem *problem, char *text)
{
        uint8_t data[64];
        size_t size;
        int r = 0;

        if (tls->state == TLS_HANDSHAKE)
                r = tls_handshake(tls, 0, problem);
        while (r == 0 && (r = tls_read(tls, data, sizeof(data), &size, problem)) == 0)
                strncat(text, (const char *)data, size);
        return r;
}

static bool give(struct tls *from, struct tls *to, int *r, struct tls_problem *problem, char *text,
        size_t piece_max)
{
        struct tls_bytes bytes = tls_take(from);
        size_t at = 0;

        while (at < bytes.size && (*r == -EAGAIN || *r == 0)) {
                size_t piece = bytes.size - at < piece_max ? bytes.size - at : piece_max;

                tls_put(to, bytes.data + at, piece);
                *r = tls_pair_go_on(to, problem, text);
                at += piece;
        }
        free(bytes.data);
        return at > 0;
}

void tls_pair_run(struct tls_pair *pair)
{
        bool spoke;

        if (pair->client.state == TLS_HANDSHAKE)
                pair->client_r =
                        tls_pair_go_on(&pair->client, &pair->client_problem, pair->client_read);
        do {
                spoke = give(&pair->client, &pair->server, &pair->server_r, &pair->server_problem,
                        pair->server_read, pair->piece);
                spoke |= give(&pair->server, &pair->client, &pair->client_r, &pair->client_problem,
                        pair->client_read, pair->piece);
        } while (spoke);
}

void tls_pair_say(struct tls *tls, const char *text)
{
        assert_int_equal(tls_seal(tls, &(struct iovec){ (void *)text, strlen(text) }, 1), 0);
}

void tls_pair_assert_talks(struct tls_pair *pair)
{
        assert_int_equal(pair->client.state, TLS_OPEN);
        assert_int_equal(pair->server.state, TLS_OPEN);
        tls_pair_say(&pair->client, "question");
        tls_pair_say(&pair->server, "answer");
        tls_pair_run(pair);
        assert_string_equal(pair->server_read, "question");
        assert_string_equal(pair->client_read, "answer");
}
