/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The cases of gRPC's "Interoperability Test Case Descriptions" and "Negative HTTP/2 Interop Test Case Descriptions". Each makes its
 * calls, and checks what its description demands.
 */

#include <stdbool.h>
#include <stdint.h>

#include "options.h"
#include "talk.h"

/* What a case runs with. */
struct run {
        const struct options *options;
        quoit_client *client;
        quoit_channel *channel;
        quoit_channel_options channel_options;
        const char *target;
        const quoit_metadata *metadata; /* for each call */
        size_t metadata_count;
        upb_Arena *arena; /* of all requests */
        char problem[2048]; /* of a case that failed, one line */
};

/* A case. False: it failed, and @run's problem says why. */
typedef bool case_fn(struct run *run);

/* NULL: there is none of that name. */
case_fn *case_find(const char *name);

/* ---- for cases ---- */

/* Notes the problem, formatted as by printf(3). False. */
bool __attribute__((format(printf, 2, 3))) run_fail(struct run *run, const char *format, ...);

/* The channel becomes READY. */
bool run_connect(struct run *run);

/* A method of grpc.testing.TestService. */
const quoit_method *run_method(const char *name);

/* Begins @talk on the run's channel, with its metadata in front of the talk's own. */
void run_start(struct run *run, struct talk *talk);

/* The same, and waits until it is over; then it must have had @status. */
bool run_talk(struct run *run, struct talk *talk, quoit_status status);

/* It must have ended so. */
bool run_expect_status(struct run *run, const struct talk *talk, quoit_status status);

/* It must have had these replies: talk_reply.number of each. */
bool run_expect_replies(
        struct run *run, const struct talk *talk, const int64_t *numbers, unsigned count);

/* ---- what the descriptions' calls have in common ---- */

#define LARGE_REQUEST_BYTES 271828
#define LARGE_REPLY_BYTES 314159

/* UnaryCall with @request. */
struct talk unary_talk(const grpc_testing_SimpleRequest *request);

grpc_testing_SimpleRequest *large_request(struct run *run);
grpc_testing_StreamingInputCallRequest *input_request(struct run *run, unsigned bytes);

/* FullDuplexCall's and StreamingOutputCall's: an answer of @reply_bytes; 0: none. */
grpc_testing_StreamingOutputCallRequest *output_request(
        struct run *run, unsigned bytes, unsigned reply_bytes);

/* One more answer, of @bytes. */
grpc_testing_ResponseParameters *add_reply(
        struct run *run, grpc_testing_StreamingOutputCallRequest *request, int32_t bytes);

/* ---- the cases, by file ---- */

case_fn empty_unary, large_unary, client_compressed_unary, server_compressed_unary,
        pick_first_unary, custom_metadata; /* unary.c */
case_fn client_streaming, client_compressed_streaming, server_streaming,
        server_compressed_streaming, ping_pong, empty_stream; /* streams.c */
case_fn status_code_and_message, special_status_message, unimplemented_method,
        unimplemented_service, cancel_after_begin, cancel_after_first_response,
        timeout_on_sleeping_server; /* endings.c */
case_fn rpc_soak, channel_soak; /* soak.c */
case_fn goaway, rst_after_header, rst_during_data, rst_after_data, ping, max_streams; /* http2.c */
