/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A client of HTTP/1.1, joined in memory to a server's session: what it says is heard at once, and what the session has to say is kept. Each
 * request writes down what the events tell of it, and is answered "hello" at its end, unless a test says otherwise.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "transport/memory.h"
#include "transport/session.h"

#define PEER_REQUESTS_MAX 40
#define PEER_TEXT_BYTES 4096

/* A request, as the events tell it, and how it is answered. */
struct request {
        struct stream stream; /* first */
        struct peer *peer;
        char fields[PEER_TEXT_BYTES]; /* "name: value\n" each */
        char body[PEER_TEXT_BYTES];
        size_t body_size; /* also of what has no room there */
        unsigned headers, ends, closes, unpins;
        uint32_t error_code;
        const char *answer; /* what is left of its body */
        size_t answer_size;
        bool is_last; /* it ends with that */
        bool has_trailers;
};

struct peer {
        struct memory memory;
        quoit_limits limits;
        struct session session;
        struct request requests[PEER_REQUESTS_MAX];
        unsigned count;
        bool refuses; /* on_stream says no */
        bool keeps; /* what comes is not consumed */
        bool holds; /* requests are not answered by themselves */
        const char *status; /* of the answers; NULL: 200 */
        char fault[256];
        char said[1 << 20]; /* all that was sent to the client */
        size_t said_size;
};

/* Of cmocka; the second checks that each stream was closed, and no memory is left. */
int peer_begin(void **state);
int peer_end(void **state);

/* Answers @request with @body; @is_last: that is all of it. */
void peer_respond(struct request *request, const char *body, bool is_last);

/* The session takes what the client says, and all that can be answered is. As session_feed(). */
int peer_hear_bytes(struct peer *peer, const void *data, size_t size);
int peer_hear(struct peer *peer, const char *text);

/* One output of at most @bytes_max goes to the client. */
void peer_send(struct peer *peer, size_t bytes_max);

/* As a connection does: all that can be answered is, and what waits behind it is taken. As session_feed(). */
int peer_run(struct peer *peer);

#define GET "GET /p?q=1 HTTP/1.1\r\nHost: me:80\r\n\r\n"
#define HELLO "HTTP/1.1 200 OK\r\nx-a: b\r\ncontent-length: 5\r\n\r\nhello"
#define HELLO_CLOSE                                                                                \
        "HTTP/1.1 200 OK\r\nx-a: b\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello"

#define TEST(function) cmocka_unit_test_setup_teardown(function, peer_begin, peer_end)
