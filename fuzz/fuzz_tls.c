/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/input.h"
#include "fuzz/mutator.h"
#include "pki.h"
#include "transport/tls_config.h"
#include "transport/tls_identity.h"

/*
 * The TLS of a connection against a hostile peer. A real client makes the bytes, so that the handshake can succeed; the
 * input says how they are cut, changed, lost and mixed with others.
 *
 * Input: steps, each a byte for its kind and its operands.
 */
enum step {
        STEP_DELIVER,      /* all bytes that are on their way */
        STEP_DELIVER_SOME, /* one byte of size */
        STEP_BEND,         /* a byte of position, one to xor with */
        STEP_INSERT,       /* one byte of size, the bytes */
        STEP_LOSE,         /* one byte of size */
        STEP_WRITE, /* one byte: data of that size squared, from the client and from the server */
        STEP_UPDATE_KEYS, /* of the client, and asks for the server's */
        STEP_END, /* close_notify from the client */
        STEPS,
};

static const uint8_t operands[STEPS] = {
        [STEP_DELIVER_SOME] = OPERAND_BYTE,
        [STEP_BEND] = OPERAND_TWO_BYTES,
        [STEP_INSERT] = OPERAND_UNITS,
        [STEP_LOSE] = OPERAND_BYTE,
        [STEP_WRITE] = OPERAND_BYTE,
};

const struct mutator_form mutator_form = { operands, STEPS, .start = 1, MUTATOR_TLS };

struct joint {
        struct tls tls;
        SSL *client;
        struct tls_bytes way; /* from the client, not delivered yet */
        struct tls_bytes
                inbox; /* delivered, not a whole record yet: kept as link/handshake.c does */
        int result; /* of the last tls_handshake() or tls_read() */
};

static struct pki pki;
static quoit_tls *rules;

static void drop_front(struct tls_bytes *bytes, size_t size)
{
        bytes->size -= size;
        memmove(bytes->data, bytes->data + size, bytes->size);
}

/* The client reads the bytes that arrived, and answers. */
static void run_client(struct joint *joint)
{
        uint8_t data[16384];
        size_t size;

        pki_client_give(joint->client, &joint->tls);
        if (!SSL_is_init_finished(joint->client))
                (void)SSL_do_handshake(joint->client);
        else
                (void)SSL_read(joint->client, data, sizeof(data));
        while ((size = pki_client_take(joint->client, data, sizeof(data))) > 0) {
                if (!tls_bytes_append(&joint->way, data, size))
                        abort();
        }
}

static void read_open(struct joint *joint)
{
        struct tls_problem problem = { "" };
        uint8_t plain[16384];
        size_t size;

        while ((joint->result = tls_read(&joint->tls, plain, sizeof(plain), &size, &problem)) == 0)
                assert(size > 0 && size <= sizeof(plain));
        assert(joint->result != -EPROTO || problem.text[0]);
}

/* Handles bytes as link/handshake.c and link/secure.c do. */
static void run_server(struct joint *joint)
{
        struct tls_problem problem = { "" };
        size_t whole = joint->inbox.size;

        if (joint->tls.state == TLS_HANDSHAKE)
                whole = tls_whole_records(joint->inbox.data, joint->inbox.size);
        if (whole == 0 || (joint->result < 0 && joint->result != -EAGAIN))
                return;
        tls_put(&joint->tls, joint->inbox.data, whole);
        if (joint->tls.state == TLS_HANDSHAKE) {
                joint->result = tls_handshake(&joint->tls, 0, &problem);
                assert(joint->result != -EPROTO || problem.text[0]);
                if (joint->result == 0) {
                        tls_identity_free(tls_identity_new(joint->tls.ssl));
                        read_open(joint);
                }
        } else {
                read_open(joint);
        }
        assert(joint->result != -EAGAIN || joint->tls.in_size == 0);
        drop_front(&joint->inbox, whole);
}

static void deliver(struct joint *joint, size_t size)
{
        if (size > joint->way.size)
                size = joint->way.size;
        if (!tls_bytes_append(&joint->inbox, joint->way.data, size))
                abort();
        drop_front(&joint->way, size);
        run_server(joint);
}

static void insert(struct joint *joint, struct input *input)
{
        const uint8_t *bytes;
        size_t size = take_bytes(input, take_byte(input), &bytes);

        if (!tls_bytes_append(&joint->way, bytes, size))
                abort();
}

static void write_both(struct joint *joint, size_t size)
{
        static uint8_t data[256 * 256];
        struct iovec iovecs[2] = { { data, size * size / 3 }, { data, size * size } };

        if (SSL_is_init_finished(joint->client) && size > 0)
                (void)SSL_write(joint->client, data, (int)(size * size));
        if (joint->tls.state == TLS_OPEN)
                assert(tls_seal(&joint->tls, iovecs, 2) == 0);
}

static void run_step(struct joint *joint, struct input *input)
{
        size_t place;

        switch (take_byte(input) % STEPS) {
        case STEP_DELIVER:
                deliver(joint, SIZE_MAX);
                break;
        case STEP_DELIVER_SOME:
                deliver(joint, take_byte(input));
                break;
        case STEP_BEND:
                place = take_byte(input);
                if (place < joint->way.size)
                        joint->way.data[place] ^= (uint8_t)take_byte(input);
                break;
        case STEP_INSERT:
                insert(joint, input);
                break;
        case STEP_LOSE:
                place = take_byte(input);
                drop_front(&joint->way, place < joint->way.size ? place : joint->way.size);
                break;
        case STEP_WRITE:
                write_both(joint, take_byte(input));
                break;
        case STEP_UPDATE_KEYS:
                (void)SSL_key_update(joint->client, SSL_KEY_UPDATE_REQUESTED);
                (void)SSL_do_handshake(joint->client);
                break;
        case STEP_END:
                (void)SSL_shutdown(joint->client);
                break;
        }
        run_client(joint);
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
        (void)argc;
        (void)argv;
        pki_init(&pki, "DNS:localhost,URI:spiffe://example/a");
        rules = pki_rules(&pki, &(quoit_tls_options){ .client_auth = QUOIT_TLS_CLIENT_AUTH_REQUEST,
                                        .client_ca_file = pki.certificate_file });
        return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct input input = { data, size };
        struct tls_context *context = tls_config_context(rules);
        struct joint joint = { .result = -EAGAIN };

        if (tls_init_server(&joint.tls, context) < 0)
                abort();
        tls_context_unref(context);
        joint.client = pki_client(&pki);
        if (take_byte(&input) & 1)
                SSL_set_max_proto_version(joint.client, TLS1_2_VERSION);
        run_client(&joint);
        while (input.size > 0)
                run_step(&joint, &input);
        tls_end(&joint.tls);
        tls_deinit(&joint.tls);
        SSL_free(joint.client);
        free(joint.way.data);
        free(joint.inbox.data);
        return 0;
}
