/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "pki.h"
#include "transport/tls_config.h"
#include "transport/tls_identity.h"
#include "transport/tls_spares.h"

/* A client and a server of TLS, joined in memory. */
struct joint {
        struct pki pki;
        quoit_tls *rules;
        struct tls tls;
        SSL *client;
        struct tls_problem problem;
        uint64_t now_ns;
};

static int setup_with(void **state, const char *names, const quoit_tls_options *options)
{
        struct joint *joint = calloc(1, sizeof(*joint));
        quoit_tls_options own = *options;
        struct tls_context *context;

        pki_init(&joint->pki, names);
        if (own.client_auth)
                own.client_ca_file = joint->pki.certificate_file;
        joint->rules = pki_rules(&joint->pki, &own);
        context = tls_config_context(joint->rules);
        assert_int_equal(tls_init_server(&joint->tls, context), 0);
        tls_context_unref(context);
        joint->client = pki_client(&joint->pki);
        *state = joint;
        return 0;
}

static int setup(void **state)
{
        return setup_with(state, "DNS:localhost", &(quoit_tls_options){ 0 });
}

static int setup_mutual(void **state)
{
        return setup_with(state,
                "DNS:localhost,URI:spiffe://example/a,otherName:1.2.3.4;UTF8:other,IP:2001:db8::1",
                &(quoit_tls_options){ .client_auth = QUOIT_TLS_CLIENT_AUTH_REQUIRE });
}

static int teardown(void **state)
{
        struct joint *joint = *state;

        SSL_free(joint->client);
        tls_deinit(&joint->tls);
        quoit_tls_free(joint->rules);
        pki_deinit(&joint->pki);
        free(joint);
        return 0;
}

/* The handshake, the client's bytes in pieces of @piece. */
static void shake_hands(struct joint *joint, size_t piece)
{
        uint8_t data[16384];
        size_t size;
        int r = -EAGAIN;

        for (int rounds = 0; rounds < 5 && (r == -EAGAIN || !SSL_is_init_finished(joint->client));
                rounds++) {
                (void)SSL_do_handshake(joint->client);
                while (r == -EAGAIN &&
                        (size = pki_client_take(joint->client, data, piece < 1 ? 1 : piece)) > 0) {
                        tls_put(&joint->tls, data, size);
                        r = tls_handshake(&joint->tls, joint->now_ns, &joint->problem);
                }
                pki_client_give(joint->client, &joint->tls);
        }
        assert_int_equal(r, 0);
        assert_int_equal(joint->tls.state, TLS_OPEN);
        assert_true(SSL_is_init_finished(joint->client));
}

/* What the client has to say goes to the server, and its answer back. As of tls_handshake(). */
static int step(struct joint *joint)
{
        uint8_t data[16384];
        size_t size;
        int r;

        (void)SSL_do_handshake(joint->client);
        size = pki_client_take(joint->client, data, sizeof(data));
        tls_put(&joint->tls, data, size);
        r = tls_handshake(&joint->tls, joint->now_ns, &joint->problem);
        pki_client_give(joint->client, &joint->tls);
        return r;
}

/* Who asks is told before a signature is made: of both versions. */
static void test_asks_before_it_signs(void **state)
{
        struct joint *joint = *state;

        joint->tls.asks = true;
        assert_int_equal(step(joint), -EINPROGRESS);
        assert_int_equal(joint->tls.out.size, 0);
        assert_int_equal(tls_handshake(&joint->tls, joint->now_ns, &joint->problem), -EINPROGRESS);
        joint->tls.asks = false;
        assert_int_equal(tls_handshake(&joint->tls, joint->now_ns, &joint->problem), -EAGAIN);
        assert_true(joint->tls.out.size > 0);
        pki_client_give(joint->client, &joint->tls);
        joint->tls.asks = true; /* nothing is signed behind that */
        while (joint->tls.state == TLS_HANDSHAKE)
                assert_int_not_equal(step(joint), -EINPROGRESS);
        assert_int_equal(joint->tls.state, TLS_OPEN);
}

static void test_asks_before_it_signs_1_2(void **state)
{
        struct joint *joint = *state;

        SSL_set_max_proto_version(joint->client, TLS1_2_VERSION);
        test_asks_before_it_signs(state);
}

/* A client whose key is of another group is asked for one of ours: that is no signature, nor does it save one. */
static void test_retry_is_no_signature(void **state)
{
        struct joint *joint = *state;

        assert_int_equal(SSL_set1_groups_list(joint->client, "P-521:X25519"), 1);
        joint->tls.asks = true;
        assert_int_equal(step(joint), -EAGAIN);
        assert_int_equal(step(joint), -EINPROGRESS);
        joint->tls.asks = false;
        assert_int_equal(tls_handshake(&joint->tls, joint->now_ns, &joint->problem), -EAGAIN);
        pki_client_give(joint->client, &joint->tls);
        assert_int_equal(step(joint), 0);
}

/* What the client sends is read until there is no more: how many bytes, or the error that is no -EAGAIN. */
static ssize_t read_all(struct joint *joint)
{
        uint8_t data[65536], plain[16384];
        size_t taken = pki_client_take(joint->client, data, sizeof(data));
        size_t sum = 0, size;
        int r;

        tls_put(&joint->tls, data, taken);
        while ((r = tls_read(&joint->tls, plain, sizeof(plain), &size, &joint->problem)) == 0)
                sum += size;
        return r == -EAGAIN ? (ssize_t)sum : r;
}

static void test_handshake_in_any_pieces(void **state)
{
        static const size_t pieces[] = { 1, 5, 6, 100, 16384 };

        for (size_t i = 0; i < sizeof(pieces) / sizeof(*pieces); i++) {
                struct joint *joint;

                if (i > 0) {
                        teardown(state);
                        setup(state);
                }
                joint = *state;
                shake_hands(joint, pieces[i]);
                assert_int_equal(SSL_write(joint->client, "hello", 5), 5);
                assert_int_equal(read_all(joint), 5);
        }
}

static unsigned count_records(const struct tls_bytes *bytes)
{
        unsigned count = 0;

        for (size_t at = 0; at < bytes->size; count++)
                at += 5 + (size_t)(bytes->data[at + 3] << 8 | bytes->data[at + 4]);
        return count;
}

/* Headers and payloads as an output has them: in as few records as the bytes fit, and in order. */
static void test_seal_gathers(void **state)
{
        struct joint *joint = *state;
        static uint8_t payload[40000];
        static char received[200000];
        struct iovec iovecs[8];
        size_t total = 0, got = 0;

        shake_hands(joint, 16384);
        for (size_t i = 0; i < sizeof(payload); i++)
                payload[i] = (uint8_t)(i * 31 >> 3);
        for (unsigned i = 0; i < 8; i++) {
                iovecs[i] = (struct iovec){ payload + i, i % 2 ? sizeof(payload) - 8 : 9 };
                total += iovecs[i].iov_len;
        }
        assert_int_equal(tls_seal(&joint->tls, iovecs, 8), 0);
        assert_int_equal(count_records(&joint->tls.out), (total + 16383) / 16384);
        pki_client_give(joint->client, &joint->tls);
        for (int n; (n = SSL_read(joint->client, received + got, 65536)) > 0;)
                got += (size_t)n;
        assert_int_equal(got, total);
        for (unsigned i = 0, at = 0; i < 8; at += (unsigned)iovecs[i].iov_len, i++)
                assert_memory_equal(received + at, iovecs[i].iov_base, iovecs[i].iov_len);
        /* one small piece: one record, in memory of its size */
        assert_int_equal(tls_seal(&joint->tls, &(struct iovec){ payload, 10 }, 1), 0);
        assert_int_equal(count_records(&joint->tls.out), 1);
        assert_true(joint->tls.out.capacity < 128);
}

static void test_ends(void **state)
{
        struct joint *joint = *state;
        char byte;

        shake_hands(joint, 16384);
        SSL_write(joint->client, "last", 4);
        SSL_shutdown(joint->client);
        assert_int_equal(read_all(joint), -ENODATA);
        /* we may go on until we end, too, which is said once */
        assert_int_equal(tls_seal(&joint->tls, &(struct iovec){ (void *)"x", 1 }, 1), 0);
        tls_end(&joint->tls);
        tls_end(&joint->tls);
        assert_int_equal(joint->tls.state, TLS_ENDED);
        pki_client_give(joint->client, &joint->tls);
        assert_int_equal(SSL_read(joint->client, &byte, 1), 1);
        assert_int_equal(SSL_read(joint->client, &byte, 1), 0);
        assert_int_equal(SSL_get_error(joint->client, 0), SSL_ERROR_ZERO_RETURN);
}

static void update_key(struct joint *joint, size_t data_bytes)
{
        static const char data[8192];

        assert_int_equal(SSL_key_update(joint->client, SSL_KEY_UPDATE_REQUESTED), 1);
        assert_int_equal(SSL_do_handshake(joint->client), 1);
        if (data_bytes > 0)
                SSL_write(joint->client, data, (int)data_bytes);
}

/* RFC 8446 section 4.6.3: a peer may change its keys, and have us change ours; not for ever and nothing else. */
static void test_key_updates(void **state)
{
        struct joint *joint = *state;
        ssize_t r = 0;
        char byte;

        shake_hands(joint, 16384);
        for (int i = 0; i < 100; i++) {
                update_key(joint, 8192);
                assert_int_equal(read_all(joint), 8192);
                assert_int_equal(tls_seal(&joint->tls, &(struct iovec){ (void *)"y", 1 }, 1), 0);
                pki_client_give(joint->client, &joint->tls);
                assert_int_equal(SSL_read(joint->client, &byte, 1), 1);
        }
        for (int i = 0; i < 40 && r == 0; i++) {
                update_key(joint, (size_t)i % 2); /* a byte now and then is no excuse */
                r = read_all(joint);
                r = r > 0 ? 0 : r;
                assert_true(joint->tls.out.size < 4096); /* our answers do not pile up */
        }
        assert_int_equal(r, -EPROTO);
        assert_non_null(strstr(joint->problem.text, "again and again"));
}

static void test_identity(void **state)
{
        struct joint *joint = *state;
        quoit_peer_tls *identity;

        shake_hands(joint, 16384);
        identity = tls_identity_new(joint->tls.ssl);
        assert_string_equal(identity->version, "TLSv1.3");
        assert_string_equal(identity->server_name, "localhost");
        assert_string_equal(identity->subject, "CN=a test");
        assert_true(identity->certificate_bytes > 100);
        /* those of kinds that we tell */
        assert_int_equal(identity->name_count, 3);
        assert_int_equal(identity->names[0].kind, QUOIT_PEER_NAME_DNS);
        assert_string_equal(identity->names[1].text, "spiffe://example/a");
        assert_string_equal(identity->names[2].text, "2001:db8::1");
        tls_identity_free(identity);
        tls_identity_free(NULL);
}

static void test_whole_records(void **state)
{
        static const uint8_t two[] = { 22, 3, 1, 0, 2, 'a', 'b', 20, 3, 3, 0, 1, 1 };
        static const uint8_t http[] = "GET / HTTP/1.1";

        (void)state;
        for (size_t size = 0; size <= sizeof(two); size++)
                assert_int_equal(tls_whole_records(two, size), size == sizeof(two) ? size
                                                               : size >= 7         ? 7
                                                                                   : 0);
        assert_int_equal(tls_whole_records(http, 1), 1);
        assert_int_equal(tls_whole_records(http, sizeof(http)), sizeof(http));
}

/* A key seals for two hours, opens for two more, and is unknown then. */
static void test_ticket_keys(void **state)
{
        struct tls_problem problem;
        struct tls_tickets tickets;
        struct tls_ticket_key first, second, third, found;
        /* that it was made long before it sealed first does not count */
        const uint64_t now = 10 * TLS_TICKET_SECONDS;

        (void)state;
        tls_tickets_init(&tickets);
        assert_int_equal(tls_tickets_renew(&tickets, NULL, &problem), 0);
        assert_int_equal(tls_tickets_sealing(&tickets, now, &first), 0);
        assert_int_equal(tls_tickets_sealing(&tickets, now + TLS_TICKET_SECONDS - 1, &second), 0);
        assert_memory_equal(&first, &second, sizeof(first));
        assert_int_equal(tls_tickets_sealing(&tickets, now + TLS_TICKET_SECONDS, &second), 0);
        assert_memory_not_equal(&first, &second, sizeof(first));
        assert_int_equal(tls_tickets_find(&tickets, first.name, &found), 2);
        assert_memory_equal(&first, &found, sizeof(first));
        assert_int_equal(tls_tickets_find(&tickets, second.name, &found), 1);
        assert_int_equal(tls_tickets_sealing(&tickets, now + 2 * TLS_TICKET_SECONDS, &third), 0);
        assert_int_equal(tls_tickets_find(&tickets, first.name, &found), 0);
        tls_tickets_deinit(&tickets);
}

/* Tickets are sealed by the clock that the handshake is given, whatever the machine's says. */
static void test_tickets_take_the_handshakes_time(void **state)
{
        struct joint *joint = *state;
        struct tls_tickets *tickets = &joint->rules->tickets;
        struct tls_ticket_key first, last, next;
        const uint64_t now = UINT64_C(1) << 31;

        joint->now_ns = now * NS_PER_S;
        shake_hands(joint, 16384);
        assert_int_equal(tls_tickets_sealing(tickets, now, &first), 0);
        assert_int_equal(tls_tickets_sealing(tickets, now + TLS_TICKET_SECONDS - 1, &last), 0);
        assert_memory_equal(&first, &last, sizeof(first));
        assert_int_equal(tls_tickets_sealing(tickets, now + TLS_TICKET_SECONDS, &next), 0);
        assert_memory_not_equal(&first, &next, sizeof(first));
}

/* A block comes back for what has about its size; what is kept is bounded. */
static void test_spares(void **state)
{
        struct tls_spares spares = { 0 };
        struct tls_bytes blocks[40], small;
        uint8_t *first;

        (void)state;
        blocks[0] = tls_spares_take(&spares, 70000);
        assert_true(blocks[0].capacity >= 70000 && blocks[0].size == 0);
        first = blocks[0].data;
        blocks[0].size = 70000;
        tls_spares_give(&spares, blocks[0]);
        small = tls_spares_take(&spares, 20000); /* too little to hold all that */
        assert_ptr_not_equal(small.data, first);
        blocks[0] = tls_spares_take(&spares, 130000);
        assert_ptr_equal(blocks[0].data, first);
        assert_int_equal(blocks[0].size, 0);
        tls_spares_give(&spares, small);
        tls_spares_give(&spares, blocks[0]);
        tls_spares_give(&spares, (struct tls_bytes){ 0 });
        for (unsigned i = 0; i < 40; i++)
                blocks[i] = tls_spares_take(&spares, 500000);
        for (unsigned i = 0; i < 40; i++)
                tls_spares_give(&spares, blocks[i]);
        assert_true(spares.bytes <= TLS_SPARES_BYTES_MAX && spares.count > 10);
        tls_spares_deinit(&spares);
}

static void check_refused(const struct pki *pki, const quoit_tls_options *options, const char *what)
{
        quoit_tls *rules;

        assert_int_equal(quoit_tls_new(options, &rules), 0);
        assert_int_equal(
                quoit_tls_add_certificate(rules, pki->certificate_file, pki->key_file), -EINVAL);
        assert_non_null(strstr(quoit_tls_problem(rules), what));
        quoit_tls_free(rules);
}

static void test_options_that_cannot_be(void **state)
{
        struct pki pki;

        (void)state;
        pki_init(&pki, "DNS:localhost");
        check_refused(&pki, &(quoit_tls_options){ .client_auth = QUOIT_TLS_CLIENT_AUTH_REQUIRE },
                "no client CA");
        check_refused(&pki, &(quoit_tls_options){ .client_ca_file = pki.certificate_file },
                "not asked for certificates");
        check_refused(&pki, &(quoit_tls_options){ .cipher_list = "ROT13" }, "'ROT13'");
        check_refused(&pki, &(quoit_tls_options){ .cipher_suites = "TLS_ROT13" }, "'TLS_ROT13'");
        check_refused(&pki, &(quoit_tls_options){ .groups = "X0" }, "'X0'");
        pki_deinit(&pki);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_handshake_in_any_pieces, setup, teardown),
                cmocka_unit_test_setup_teardown(test_asks_before_it_signs, setup, teardown),
                cmocka_unit_test_setup_teardown(test_asks_before_it_signs_1_2, setup, teardown),
                cmocka_unit_test_setup_teardown(test_retry_is_no_signature, setup, teardown),
                cmocka_unit_test_setup_teardown(test_seal_gathers, setup, teardown),
                cmocka_unit_test_setup_teardown(test_ends, setup, teardown),
                cmocka_unit_test_setup_teardown(test_key_updates, setup, teardown),
                cmocka_unit_test_setup_teardown(test_identity, setup_mutual, teardown),
                cmocka_unit_test(test_whole_records),
                cmocka_unit_test(test_ticket_keys),
                cmocka_unit_test(test_options_that_cannot_be),
                cmocka_unit_test_setup_teardown(
                        test_tickets_take_the_handshakes_time, setup, teardown),
                cmocka_unit_test(test_spares),
        };

        return cmocka_run_group_tests_name("transport/tls", tests, NULL, NULL);
}
