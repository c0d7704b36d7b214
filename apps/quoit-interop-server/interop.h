/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * grpc.testing.TestService, as grpc's "gRPC Interop Test Case Descriptions" specifies it. Each method's `user` is the server's
 * id, a string.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <quoit/quoit.h>

#include "grpc/testing/test.quoit.h"

/* Each sets the handlers of its file. */
void unary_add(grpc_testing_TestService_service *service);
void streams_add(grpc_testing_TestService_service *service);

/*
 * Sends back, where the client sent them, x-grpc-test-echo-initial with the headers and x-grpc-test-echo-trailing-bin with the
 * trailers. Call it before the first message is sent.
 */
void interop_echo_metadata(quoit_call *call);

/*
 * True if the handler's message is compressed as @expected says; NULL accepts both. Otherwise false, and the call is finished
 * with INVALID_ARGUMENT, which clients probe for.
 */
bool interop_check_compression(quoit_call *call, const grpc_testing_BoolValue *expected);

/* True, and the call is finished, if @asked (which can be NULL) has a status other than OK. */
bool interop_finish_as_asked(quoit_call *call, const grpc_testing_EchoStatus *asked);

/*
 * A payload of @size zeros in @arena. NULL, and the call is finished, if @size is negative or over INTEROP_PAYLOAD_BYTES_MAX,
 * or memory is short.
 */
#define INTEROP_PAYLOAD_BYTES_MAX ((int32_t)64 << 20)
grpc_testing_Payload *interop_payload(quoit_call *call, int32_t size, upb_Arena *arena);

void interop_out_of_memory(quoit_call *call);
