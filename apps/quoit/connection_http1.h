/* SPDX-License-Identifier: MIT */
#pragma once

/* Connections to servers that speak HTTP/1.1. */

#include "connection.h"
#include "http1/call.h"

/*
 * Looks whether the server speaks that, by TLS or in the clear as @scheme says (FOUND: both), unless the user has said how it is called:
 * then it is only connected to. 0: @connection has a way; or a negative errno, and *@ret_error says why not.
 */
int connection_find_http1(
        struct connection *connection, enum scheme scheme, quoit_error *ret_error);

/*
 * Makes @call, whose way and protocol are set here: by Connect, and by gRPC-Web if the server does not know that, unless the user has
 * said which.
 */
void connection_call_http1(
        struct connection *connection, struct http1_call *call, struct http1_end *ret_end);

/* One call with one request, protobuf. */
struct http1_question {
        const quoit_method *method;
        const struct upb_Message *request;
        const struct metadata *metadata;
        uint64_t deadline_ns; /* CLOCK_MONOTONIC; UINT64_MAX: none */
        /* Each reply; it lives until this returns. */
        void (*on_reply)(const struct upb_Message *reply, void *user);
        void *user;
};

/* Makes it and waits for its end. Its status; *@ret_error says more. */
quoit_status connection_ask_http1(struct connection *connection,
        const struct http1_question *question, quoit_error *ret_error);
