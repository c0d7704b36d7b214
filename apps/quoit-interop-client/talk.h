/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One call, from what it sends to what came of it. Main thread: it waits, and looks at the talk only before talk_start() and after
 * talk_wait(). In between the talk is the client's thread's.
 */

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include <quoit/quoit.h>

#include "grpc/testing/test.quoit.h"

#define TALK_REQUESTS_MAX 4
#define TALK_REPLIES_MAX 8
#define TALK_BYTES_MAX 256
#define TALK_PAYLOAD_BYTES_MAX (16 << 20)

/* Bytes that came from the server, cut to what fits. */
struct talk_bytes {
        size_t size;
        char data[TALK_BYTES_MAX];
};

static inline upb_StringView talk_text(const struct talk_bytes *bytes)
{
        return upb_StringView_FromDataAndSize(bytes->data, bytes->size);
}

struct talk_reply {
        int64_t number; /* of its payload's bytes, all of them 0, or what it says in its place; -1: some are not 0 */
        bool compressed;
};

enum talk_cancel {
        TALK_CANCEL_NEVER,
        TALK_CANCEL_BEGUN, /* when its headers have been sent */
        TALK_CANCEL_REPLIED, /* after the first reply */
};

struct talk {
        /* to be set before it starts */
        const quoit_method *method;
        quoit_call_options options;
        const upb_Message *requests[TALK_REQUESTS_MAX];
        bool plain
                [TALK_REQUESTS_MAX]; /* which of them are not compressed, in a call that compresses */
        unsigned request_count;
        bool takes_turns; /* each request but the first waits for the reply to the one before, the half-close too */
        enum talk_cancel cancel;

        /* what came of it */
        quoit_status status;
        struct talk_bytes message; /* with the status */
        struct talk_reply replies[TALK_REPLIES_MAX]; /* the first ones */
        unsigned reply_count;
        struct talk_bytes server_id; /* of the last SimpleResponse */
        struct talk_bytes initial, trailing; /* what the server echoed */

        /* its own */
        quoit_channel *channel;
        quoit_outcall *call;
        unsigned sent;
        pthread_mutex_t mutex;
        pthread_cond_t ended;
        bool is_over;
};

/* The metadata that the server echoes with its headers, and with its trailers. */
#define TALK_INITIAL "x-grpc-test-echo-initial"
#define TALK_TRAILING "x-grpc-test-echo-trailing-bin"

/* Begins it on @channel, of @client. */
void talk_start(struct talk *talk, quoit_client *client, quoit_channel *channel);

/* Until it is over. */
void talk_wait(struct talk *talk);

/* ---- requests, in @arena; the payload has @bytes zeros, up to TALK_PAYLOAD_BYTES_MAX ---- */

grpc_testing_Payload *talk_payload(upb_Arena *arena, unsigned bytes);
grpc_testing_SimpleRequest *talk_simple_request(
        upb_Arena *arena, unsigned bytes, unsigned reply_bytes);
grpc_testing_BoolValue *talk_bool(upb_Arena *arena, bool value);
