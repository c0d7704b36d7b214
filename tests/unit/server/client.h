/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * An nghttp2 client of a host: the requests of tests, and the replies.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <nghttp2/nghttp2.h>

#include "host.h"
#include "script.quoit.h"

#define CLIENT_REPLIES_MAX 64

struct reply {
        int32_t id;
        char http_status[8];
        char status[8]; /* grpc-status */
        char text[128]; /* grpc-message */
        char accept_encoding[32];
        char echo[64]; /* of "x-echo": one in the headers, one in the trailers, joined by "|" */
        bool headers_came; /* apart from the trailers */
        bool closed;
        uint32_t error_code;
        uint8_t *data;
        size_t data_size;

        uint8_t body[70000]; /* of the request; not sent yet */
        size_t body_size, body_sent;
        bool end;
};

struct client {
        struct host *host;
        nghttp2_session *h2;
        struct reply replies[CLIENT_REPLIES_MAX];
        unsigned count;
        uint32_t goaways;
};

struct client *client_new(const quoit_limits *limits);

/* Asserts, by host_free(), that nothing is left on the server's side. */
void client_free(struct client *client);

/* Sends a header block of NULL-terminated pairs. */
struct reply *client_request(struct client *client, const char *const (*fields)[2], bool end);

/* The header block of a good request for @method ("Unary"), with one field more unless @name is NULL. */
struct reply *client_call(
        struct client *client, const char *method, const char *name, const char *value);

/* Appends a message to the request; @end: the last one. */
void client_ask(struct client *client, struct reply *reply, const struct script_Ask *ask, bool end);
void client_send(
        struct client *client, struct reply *reply, const void *data, size_t size, bool end);

/* Asks for @act in one message, the last one. */
void client_act(struct client *client, struct reply *reply, enum script_act act, uint32_t count,
        uint32_t size);

/* Runs both sides until neither has anything to send. */
void client_run(struct client *client);

void client_reset(struct client *client, struct reply *reply);

/* How many messages a reply holds; asserts that they are well-formed and numbered in order. */
unsigned reply_messages(const struct reply *reply);

/* Asserts HTTP 200 and @status, a gRPC status as text. */
void assert_status(const struct reply *reply, const char *status);
