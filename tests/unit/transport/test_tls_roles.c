/* SPDX-License-Identifier: MIT */

/* Both roles of TLS, joined in memory; where a server has to misbehave it is OpenSSL's own. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tls_pair.h"
#include "transport/tls_identity.h"

static void expect_refusal(const struct tls_how *how, const char *words)
{
        struct tls_pair *pair = tls_pair_new(how);

        tls_pair_run(pair);
        assert_int_equal(pair->client_r, -EPROTO);
        assert_int_equal(pair->client.state, TLS_ENDED);
        if (!strstr(pair->client_problem.text, words))
                fail_msg("'%s' is not in: %s", words, pair->client_problem.text);
        /* the server learns of it by the alert */
        assert_int_equal(pair->server_r, -EPROTO);
        tls_pair_free(pair);
}

static void test_handshake_in_any_pieces(void **state)
{
        static const size_t pieces[] = { 1, 5, 6, 100, 16384 };

        (void)state;
        for (size_t i = 0; i < sizeof(pieces) / sizeof(*pieces); i++) {
                for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
                        struct tls_pair *pair =
                                tls_pair_new(&(struct tls_how){ .piece = pieces[i] });

                        assert_int_equal(SSL_set_max_proto_version(pair->client.ssl, version), 1);
                        tls_pair_run(pair);
                        assert_int_equal(SSL_version(pair->client.ssl), version);
                        tls_pair_assert_talks(pair);
                        tls_pair_free(pair);
                }
        }
}

static void test_ends(void **state)
{
        struct tls_pair *pair = tls_pair_new(&(struct tls_how){ 0 });

        (void)state;
        tls_pair_run(pair);
        tls_end(&pair->client);
        tls_pair_run(pair);
        assert_int_equal(pair->server_r, -ENODATA);
        tls_pair_say(&pair->server, "x"); /* which the client does not read any more */
        tls_end(&pair->server);
        assert_int_equal(pair->server.state, TLS_ENDED);
        tls_pair_free(pair);
}

/* The name goes to the server, and must be in its certificate; RFC 9525 on wildcards. */
static void test_names(void **state)
{
        static const struct {
                const char *names, *name;
                bool good;
        } cases[] = {
                { "DNS:a.example", "a.example", true }, { "DNS:a.example", "A.Example", true },
                { "DNS:a.example", "b.example", false },
                { "DNS:*.example.com", "a.example.com", true },
                { "DNS:*.example.com", "a.b.example.com", false },
                { "DNS:a*.example.com", "ab.example.com", false },
                { "IP:192.0.2.1", "192.0.2.1", true }, { "IP:192.0.2.1", "192.0.2.2", false },
                { "IP:2001:db8::1", "2001:db8:0::1", true },
                { "DNS:192.0.2.1", "192.0.2.1", false },
                { "URI:spiffe://example/a", "a test", false }, /* the subject's common name */
        };

        (void)state;
        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
                const struct tls_how how = { .names = cases[i].names, .name = cases[i].name };
                struct tls_pair *pair;
                quoit_peer_tls *identity;

                if (!cases[i].good) {
                        expect_refusal(&how, "mismatch");
                        continue;
                }
                pair = tls_pair_new(&how);
                tls_pair_run(pair);
                tls_pair_assert_talks(pair);
                identity = tls_identity_new(pair->server.ssl);
                if (strncmp(how.names, "IP", 2) == 0)
                        assert_null(identity->server_name);
                else
                        assert_string_equal(identity->server_name, how.name);
                tls_identity_free(identity);
                tls_pair_free(pair);
        }
}

static void test_name_cannot_be(void **state)
{
        static char longer[300];
        struct tls_context *context;
        struct pki pki;
        struct tls tls;

        (void)state;
        pki_init(&pki, "DNS:localhost");
        context = tls_pair_context(&pki, &(struct tls_how){ 0 });
        memset(longer, 'a', sizeof(longer) - 1);
        assert_int_equal(tls_init_client(&tls, context, ""), -EINVAL);
        assert_int_equal(tls_init_client(&tls, context, longer), -EINVAL);
        tls_context_unref(context);
        pki_deinit(&pki);
}

static void test_unknown_authority(void **state)
{
        (void)state;
        expect_refusal(&(struct tls_how){ .trusts_others = true }, "its certificate is refused");
}

static void test_files(void **state)
{
        static const quoit_tls_options options;
        struct tls_client_rules rules = { .options = &options, .ca_file = "/nowhere/ca" };
        struct tls_context *context = NULL;
        struct tls_problem problem;

        (void)state;
        assert_int_equal(tls_context_new_client(&rules, &context, &problem), -ENOENT);
        assert_non_null(strstr(problem.text, "/nowhere/ca"));
        rules.ca_file = "/dev/null";
        assert_int_equal(tls_context_new_client(&rules, &context, &problem), -EINVAL);
        assert_null(context);
        rules.ca_file = NULL; /* whom the system trusts, were it nobody */
        assert_int_equal(tls_context_new_client(&rules, &context, &problem), 0);
        tls_context_unref(context);
}

static void test_mutual(void **state)
{
        struct tls_how how = {
                .server.client_auth = QUOIT_TLS_CLIENT_AUTH_REQUIRE,
                .shows_certificate = true,
        };
        struct tls_pair *pair = tls_pair_new(&how);
        quoit_peer_tls *identity;

        (void)state;
        tls_pair_run(pair);
        tls_pair_assert_talks(pair);
        identity = tls_identity_new(pair->server.ssl);
        assert_string_equal(identity->subject, "CN=a test");
        tls_identity_free(identity);
        tls_pair_free(pair);
        /* by TLS 1.3 a client is through before the server has looked at what it shows */
        how.shows_certificate = false;
        expect_refusal(&how, "it gave up");
}

/* ---- servers of OpenSSL's ---- */

struct stranger {
        struct pki pki;
        SSL *server;
        struct tls client;
        struct tls_problem problem;
        char read[64];
        int r;
};

static int choose_http1(SSL *ssl, const unsigned char **ret_protocol, unsigned char *ret_size,
        const unsigned char *offered, unsigned size, void *user)
{
        (void)ssl;
        (void)offered;
        (void)size;
        (void)user;
        *ret_protocol = (const unsigned char *)"http/1.1";
        *ret_size = 8;
        return SSL_TLSEXT_ERR_OK;
}

static int choose_h2(SSL *ssl, const unsigned char **ret_protocol, unsigned char *ret_size,
        const unsigned char *offered, unsigned size, void *user)
{
        (void)ssl;
        (void)size;
        (void)user;
        *ret_protocol = offered + 1;
        *ret_size = offered[0];
        return SSL_TLSEXT_ERR_OK;
}

static int choose_none(SSL *ssl, const unsigned char **ret_protocol, unsigned char *ret_size,
        const unsigned char *offered, unsigned size, void *user)
{
        (void)ssl;
        (void)ret_protocol;
        (void)ret_size;
        (void)offered;
        (void)size;
        (void)user;
        return SSL_TLSEXT_ERR_ALERT_FATAL;
}

static void stranger_init(
        struct stranger *stranger, SSL_CTX_alpn_select_cb_func choose, int version_max)
{
        SSL_CTX *server = SSL_CTX_new(TLS_server_method());
        struct tls_context *context;

        *stranger = (struct stranger){ .r = -EAGAIN };
        pki_init(&stranger->pki, "DNS:localhost");
        SSL_CTX_use_certificate(server, stranger->pki.x509);
        SSL_CTX_use_PrivateKey(server, stranger->pki.key);
        SSL_CTX_set_max_proto_version(server, version_max);
        if (choose)
                SSL_CTX_set_alpn_select_cb(server, choose, NULL);
        stranger->server = SSL_new(server);
        SSL_CTX_free(server);
        SSL_set_bio(stranger->server, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
        SSL_set_accept_state(stranger->server);
        context = tls_pair_context(&stranger->pki,
                &(struct tls_how){ .client.version_min = version_max == TLS1_2_VERSION
                                                                 ? QUOIT_TLS_VERSION_1_3
                                                                 : QUOIT_TLS_VERSION_DEFAULT });
        assert_int_equal(tls_init_client(&stranger->client, context, "localhost"), 0);
        tls_context_unref(context);
}

static void stranger_deinit(struct stranger *stranger)
{
        SSL_free(stranger->server);
        tls_deinit(&stranger->client);
        pki_deinit(&stranger->pki);
}

static void stranger_run(struct stranger *stranger)
{
        static uint8_t data[65536];

        for (int rounds = 0; rounds < 6 && stranger->r == -EAGAIN; rounds++) {
                size_t size = pki_client_take(stranger->server, data, sizeof(data));

                tls_put(&stranger->client, data, size);
                stranger->r = tls_pair_go_on(&stranger->client, &stranger->problem, stranger->read);
                pki_client_give(stranger->server, &stranger->client);
                (void)SSL_do_handshake(stranger->server);
        }
}

/* A server that does not agree to h2 by ALPN does not speak gRPC, whatever it says or leaves out. */
static void test_alpn(void **state)
{
        static const SSL_CTX_alpn_select_cb_func choices[] = { NULL, choose_http1, choose_none };

        (void)state;
        for (unsigned i = 0; i < 3; i++) {
                struct stranger stranger;

                stranger_init(&stranger, choices[i], 0);
                stranger_run(&stranger);
                assert_int_equal(stranger.r, -EPROTO);
                assert_int_equal(stranger.client.state, TLS_ENDED);
                /* OpenSSL itself refuses what was not offered */
                if (i != 1 && !strstr(stranger.problem.text, "\"h2\""))
                        fail_msg("%s", stranger.problem.text);
                stranger_deinit(&stranger);
        }
}

static void test_old_version(void **state)
{
        struct stranger stranger;

        (void)state;
        stranger_init(&stranger, choose_h2, TLS1_2_VERSION);
        stranger_run(&stranger);
        assert_int_equal(stranger.r, -EPROTO);
        assert_non_null(strstr(stranger.problem.text, "version"));
        stranger_deinit(&stranger);
}

/* RFC 8446 section 4.6.1: a server may give tickets at any time; not for ever and nothing else. */
static void test_tickets(void **state)
{
        struct stranger stranger;
        int count = 0;

        (void)state;
        stranger_init(&stranger, choose_h2, 0);
        stranger_run(&stranger);
        assert_int_equal(stranger.client.state, TLS_OPEN);
        while (stranger.r == -EAGAIN && count < 100) {
                assert_int_equal(SSL_new_session_ticket(stranger.server), 1);
                (void)SSL_do_handshake(stranger.server);
                stranger_run(&stranger);
                count++;
        }
        assert_int_equal(stranger.r, -EPROTO);
        assert_in_range(count, 20, 40);
        assert_non_null(strstr(stranger.problem.text, "again and again"));
        stranger_deinit(&stranger);
}

/* A server that speaks in the clear. */
static void test_no_tls(void **state)
{
        static const uint8_t settings[] = "\0\0\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0";
        struct stranger stranger;

        (void)state;
        stranger_init(&stranger, choose_h2, 0);
        assert_int_equal(
                tls_pair_go_on(&stranger.client, &stranger.problem, stranger.read), -EAGAIN);
        tls_put(&stranger.client, settings, sizeof(settings));
        assert_int_equal(
                tls_pair_go_on(&stranger.client, &stranger.problem, stranger.read), -EPROTO);
        assert_non_null(strstr(stranger.problem.text, "no TLS"));
        stranger_deinit(&stranger);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_handshake_in_any_pieces),
                cmocka_unit_test(test_ends),
                cmocka_unit_test(test_names),
                cmocka_unit_test(test_name_cannot_be),
                cmocka_unit_test(test_unknown_authority),
                cmocka_unit_test(test_files),
                cmocka_unit_test(test_mutual),
                cmocka_unit_test(test_alpn),
                cmocka_unit_test(test_old_version),
                cmocka_unit_test(test_tickets),
                cmocka_unit_test(test_no_tls),
        };

        return cmocka_run_group_tests_name("transport/tls-roles", tests, NULL, NULL);
}
