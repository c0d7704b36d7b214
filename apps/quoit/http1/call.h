/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A call over HTTP/1.1, by Connect or by gRPC-Web. It is half duplex: all requests are known before it begins, and answers are taken as
 * they come. So a method of two streams works where the server takes it in this way.
 */

#include <stdbool.h>
#include <stdint.h>

#include <quoit/client.h>

#include "../metadata_flags.h"
#include "../protocol.h"
#include "bytes.h"
#include "way.h"

struct http1_call {
        struct http1_way *way;
        enum protocol protocol; /* CONNECT or GRPC_WEB */
        bool is_json; /* messages are JSON, not protobuf */
        const quoit_method *method; /* its path and its kind */
        const struct metadata *metadata;
        uint64_t deadline_ns; /* CLOCK_MONOTONIC; UINT64_MAX: none. The server is told */
        size_t message_bytes_max; /* of each that comes */
        int stop_fd; /* when it is readable, the call is cancelled; -1: none */
        struct upb_Arena *arena; /* of all that is handed out but messages */
        struct bytes requests; /* by http1_call_add() */
        /* Each can be NULL. What they get lives until they return; headers live as long as the arena. */
        void (*on_headers)(const struct metadata *headers, void *user);
        /* 0; -ECANCELED: no more are wanted; or another negative errno: it is no message, and the call ends INTERNAL. */
        int (*on_message)(upb_StringView message, void *user);
        void *user;
};

/* How it ended. All is in the call's arena. */
struct http1_end {
        quoit_status status;
        upb_StringView message;
        struct metadata trailers;
        upb_StringView details; /* a google.rpc.Status, serialized; empty: none */
        bool is_stopped; /* by stop_fd */
        bool is_known; /* the server has answered by the protocol; its answer may be broken */
        bool is_foreign; /* the server does not know the protocol, and has not made the call */
};

/* Adds a request. 0; -EMSGSIZE, -ENOMEM. */
int http1_call_add(struct http1_call *call, upb_StringView message);

/* Makes the call, and waits for its end. It can be made again. */
void http1_call_run(struct http1_call *call, struct http1_end *ret_end);

void http1_call_deinit(struct http1_call *call);
