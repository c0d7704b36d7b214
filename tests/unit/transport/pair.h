/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A server session and a client session of ours, joined in memory. Both ends have the same events, which write down what
 * they are told, so a test says what one end does and looks at the other.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "transport/memory.h"
#include "transport/session.h"

#define PAIR_CALLS_MAX 256
#define PAIR_WIRE_MAX ((size_t)1 << 20)

/* A stream as one end sees it. */
struct call {
        struct stream stream; /* first: as a call has it */
        struct end *end;

        /* seen; what a `closes` above 0 leaves is the end of it */
        int32_t id;
        char status[8], grpc_status[8], path[32], x[8];
        unsigned headers, trailers, trailers_only, ends, closes;
        bool oversize;
        bool closed_unsent;
        uint32_t error_code;
        uint8_t *data;
        size_t data_size;

        /* to be sent */
        const uint8_t *body;
        size_t body_size;
        size_t body_sent;
        bool finish; /* the end behind the body: a server's with trailers */
        bool hold;   /* what comes is not given back to its window */
};

struct end {
        struct session session;
        struct pair *pair;
        struct call calls[PAIR_CALLS_MAX];
        unsigned count;
        unsigned open; /* calls that are not closed */
        unsigned goaways, settings, faults;
        int32_t goaway_id;
        uint32_t goaway_code;
        char goaway_text[32];
        uint32_t fault_code;
        const char *rule; /* of the last on_malformed */
        int error; /* of its session_feed() */
        uint8_t wire[PAIR_WIRE_MAX]; /* all that it has sent */
        size_t wire_size;
};

struct pair {
        struct memory memory;
        quoit_limits limits;
        struct end server, client;
        uint64_t random;
        size_t piece_bytes_max; /* of one piece on its way */
};

extern const struct session_events end_events;

/* Both sessions are set up, nothing is exchanged. @limits NULL: joint_limits. */
struct pair *pair_new(const quoit_limits *limits, uint64_t seed);

/* Checks that all calls were closed once and that nothing is left in memory. */
void pair_free(struct pair *pair);

/* The client's request; 0, or what session_request() said. In @ret_call its place. */
int pair_try_request(struct pair *pair, const char *path, const void *body, size_t size, bool end,
        struct call **ret_call);
struct call *pair_request(
        struct pair *pair, const char *path, const void *body, size_t size, bool end);

/* More of a body, of either end. */
void call_continue(struct call *call, const void *body, size_t size, bool end);

/* The server's answer: headers, the body, trailers unless not @end. */
void call_answer(struct call *call, const void *body, size_t size, bool end);

/* The server's answer with a status alone. */
void call_answer_only(struct call *call, const char *grpc_status);

/* What @from has to say, of one output; whether it was something. */
bool end_speak(struct end *from);

/* Bytes for @to; 0 or what session_feed() said. */
int end_feed(struct end *to, const void *data, size_t size);

/* Both, until neither has anything to say. */
void pair_run(struct pair *pair);

/*
 * Writes what a server says in a conversation, less than 1000 bytes, and returns their number: "/first" is answered, "/second" with
 * a status alone, "/third", which the client has not ended, is reset; a PING, a GOAWAY with another.
 */
size_t pair_record(uint8_t *wire);

/* The server's end of a call of the client; NULL: it has not come. */
struct call *pair_other(struct pair *pair, const struct call *call);

/* What has come for @call is @body. */
void call_assert_body(const struct call *call, const void *body, size_t size);

/* A call of the client that was answered and ended well. */
void call_assert_good(const struct call *call);
