/* SPDX-License-Identifier: MIT */

/* Which sessions a client keeps, and to whom it offers them. */

#include "tls_pair.h"

#include <string.h>

#include "core/clock.h"
#include "transport/tls_sessions.h"

static const struct tls_how keeps = { .sessions_max = 4 };

/* A connection that ends well on both sides, or is torn. Whether it was resumed. */
static bool meet(struct tls_pair *pair, int version, bool ends_well)
{
        assert_int_equal(SSL_set_max_proto_version(pair->client.ssl, version), 1);
        tls_pair_run(pair);
        tls_pair_assert_talks(pair);
        assert_int_equal(SSL_version(pair->client.ssl), version);
        assert_int_equal(
                SSL_session_reused(pair->client.ssl), SSL_session_reused(pair->server.ssl));
        if (ends_well) {
                tls_end(&pair->client);
                tls_end(&pair->server);
                tls_pair_run(pair);
        }
        return SSL_session_reused(pair->client.ssl);
}

static unsigned kept(const struct tls_pair *pair)
{
        return pair->client.context->sessions.count;
}

/* Also after an end without a close_notify: that is how servers are lost. */
static void test_resumes(void **state)
{
        (void)state;
        for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
                for (int i = 0; i < 2; i++) {
                        struct tls_pair *pair = tls_pair_new(&keeps);

                        assert_false(meet(pair, version, i == 0));
                        for (int again = 0; again < 3; again++) {
                                assert_int_equal(kept(pair), 1);
                                tls_pair_reconnect(pair, &keeps);
                                assert_int_equal(kept(pair), 0);
                                assert_true(meet(pair, version, i == 0));
                        }
                        tls_pair_free(pair);
                }
        }
}

/* The certificate that was checked is still known. */
static void test_knows_the_certificate(void **state)
{
        struct tls_how how = keeps;
        struct tls_pair *pair;

        (void)state;
        how.server.client_auth = QUOIT_TLS_CLIENT_AUTH_REQUIRE;
        how.shows_certificate = true;
        pair = tls_pair_new(&how);
        assert_false(meet(pair, TLS1_3_VERSION, true));
        tls_pair_reconnect(pair, &how);
        assert_true(meet(pair, TLS1_3_VERSION, true));
        assert_non_null(SSL_get0_peer_certificate(pair->client.ssl));
        assert_non_null(SSL_get0_peer_certificate(pair->server.ssl));
        assert_int_equal(SSL_get_verify_result(pair->client.ssl), X509_V_OK);
        tls_pair_free(pair);
}

/* Whose certificate is good for one name need not be good for another, and nobody looks again. */
static void test_name(void **state)
{
        struct tls_how how = keeps;
        struct tls_pair *pair;

        (void)state;
        how.names = "DNS:a.example,DNS:b.example";
        how.name = "a.example";
        pair = tls_pair_new(&how);
        assert_false(meet(pair, TLS1_3_VERSION, true));
        how.name = "b.example";
        tls_pair_reconnect(pair, &how);
        assert_false(meet(pair, TLS1_3_VERSION, true));
        assert_int_equal(kept(pair), 2);
        how.name = "a.example";
        tls_pair_reconnect(pair, &how);
        assert_true(meet(pair, TLS1_3_VERSION, true));
        tls_pair_free(pair);
}

/* Two servers of one name, each with keys of its own for tickets. */
static void test_place(void **state)
{
        struct tls_how one = keeps, other = keeps;
        struct tls_pair *pair = tls_pair_new(&keeps);
        quoit_tls *first = pair->rules;

        (void)state;
        one.place = 1;
        other.place = 2;
        tls_pair_reconnect(pair, &one);
        assert_false(meet(pair, TLS1_3_VERSION, true));
        pair->rules = pki_rules(&pair->pki, &(quoit_tls_options){ 0 });
        tls_pair_reconnect(pair, &other); /* it is tried, and not taken */
        assert_false(meet(pair, TLS1_3_VERSION, true));
        tls_pair_reconnect(pair, &other);
        assert_true(meet(pair, TLS1_3_VERSION, true));
        quoit_tls_free(pair->rules);
        pair->rules = first;
        tls_pair_reconnect(pair, &one);
        assert_false(meet(pair, TLS1_3_VERSION, true));
        tls_pair_reconnect(pair, &one);
        assert_true(meet(pair, TLS1_3_VERSION, true));
        tls_pair_free(pair);
}

/* An attempt takes what it offers, so that two at once do not offer the same, nor one for ever what a server dislikes. */
static void test_single_use(void **state)
{
        (void)state;
        for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
                struct tls_pair *pair = tls_pair_new(&keeps);

                assert_false(meet(pair, version, true));
                tls_pair_reconnect(pair, &keeps); /* and gives up */
                tls_pair_reconnect(pair, &keeps);
                assert_false(meet(pair, version, true));
                tls_pair_free(pair);
        }
}

/* A server that gives many tickets. */
static void test_limit(void **state)
{
        struct tls_pair *pair = tls_pair_new(&keeps);

        (void)state;
        assert_false(meet(pair, TLS1_3_VERSION, false));
        for (int i = 0; i < 10; i++) {
                assert_int_equal(SSL_new_session_ticket(pair->server.ssl), 1);
                assert_int_equal(SSL_do_handshake(pair->server.ssl), 1);
                tls_pair_run(pair);
        }
        assert_int_equal(kept(pair), 4);
        tls_pair_free(pair);
}

/* The oldest ones go where there are many, and those that are too old. */
static void test_order(void **state)
{
        static const char *const names[] = { "a", "b", "c" };
        static const uint64_t week_ns = TLS_SESSION_SECONDS_MAX * NS_PER_S;
        struct tls_pair *pair = tls_pair_new(&keeps);
        struct tls_sessions sessions;
        SSL_SESSION *session;

        (void)state;
        meet(pair, TLS1_3_VERSION, true);
        session = tls_sessions_take(&pair->client.context->sessions, "localhost", 0, 0);
        assert_non_null(session);
        assert_int_equal(tls_sessions_init(&sessions, 2), 0);
        for (int i = 0; i < 3; i++)
                tls_sessions_put(&sessions, session, names[i], 7, 5);
        assert_int_equal(sessions.count, 2);
        assert_null(tls_sessions_take(&sessions, "a", 7, 5));
        for (int i = 1; i < 3; i++) {
                SSL_SESSION *taken =
                        tls_sessions_take(&sessions, names[i], i == 1 ? 7 : 8, 5 + week_ns);

                assert_non_null(taken);
                SSL_SESSION_free(taken);
        }
        tls_sessions_put(&sessions, session, "a", 7, 5);
        SSL_SESSION_free(session);
        assert_null(tls_sessions_take(&sessions, "a", 7, 6 + week_ns));
        assert_int_equal(sessions.count, 0);
        tls_sessions_deinit(&sessions);
        tls_pair_free(pair);
}

static void test_none(void **state)
{
        static const struct tls_how keeps_none;
        struct tls_pair *pair = tls_pair_new(&keeps_none);

        (void)state;
        assert_false(meet(pair, TLS1_3_VERSION, true));
        assert_int_equal(kept(pair), 0);
        tls_pair_reconnect(pair, &keeps_none);
        assert_false(meet(pair, TLS1_2_VERSION, true));
        assert_int_equal(kept(pair), 0);
        tls_pair_free(pair);
}

static int enlarge_ticket(SSL *ssl, void *user)
{
        static const unsigned char data[TLS_SESSION_TICKET_BYTES_MAX];

        (void)user;
        return SSL_SESSION_set1_ticket_appdata(SSL_get0_session(ssl), data, sizeof(data));
}

static SSL_TICKET_RETURN take_ticket(SSL *ssl, SSL_SESSION *session, const unsigned char *name,
        size_t size, SSL_TICKET_STATUS status, void *user)
{
        (void)ssl;
        (void)session;
        (void)name;
        (void)size;
        (void)user;
        return status == SSL_TICKET_SUCCESS ? SSL_TICKET_RETURN_USE : SSL_TICKET_RETURN_IGNORE;
}

/* What is in a ticket is up to the server, and we would have to store it. */
static void test_large_ticket(void **state)
{
        struct tls_pair *pair = tls_pair_new(&keeps);

        (void)state;
        SSL_CTX_set_session_ticket_cb(
                pair->server.context->contexts[0], enlarge_ticket, take_ticket, NULL);
        assert_false(meet(pair, TLS1_3_VERSION, true));
        assert_int_equal(kept(pair), 0);
        tls_pair_free(pair);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_resumes),
                cmocka_unit_test(test_knows_the_certificate),
                cmocka_unit_test(test_name),
                cmocka_unit_test(test_place),
                cmocka_unit_test(test_single_use),
                cmocka_unit_test(test_limit),
                cmocka_unit_test(test_order),
                cmocka_unit_test(test_none),
                cmocka_unit_test(test_large_ticket),
        };

        return cmocka_run_group_tests_name("transport/tls-sessions", tests, NULL, NULL);
}
