/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * grpc.testing.TestService, as grpc's "gRPC Interop Test Case Descriptions" wants a server to behave. Each method's
 * `user` is the server's id, a string.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <quoit/quoit.h>

#include "grpc/testing/test.quoit.h"

/* Each puts the handlers of its file in. */
void unary_add(grpc_testing_TestService_service *service);
void streams_add(grpc_testing_TestService_service *service);

/*
 * Sends back, where the client sent them, x-grpc-test-echo-initial with the headers and
 * x-grpc-test-echo-trailing-bin with the trailers. To be called before the first message goes out.
 */
void interop_echo_metadata(quoit_call *call);

/*
 * True if the message that the handler has is compressed as @expected says, which may be NULL: either way is right.
 * Otherwise false, and the call is finished with INVALID_ARGUMENT, which clients probe for.
 */
bool interop_check_compression(quoit_call *call, const grpc_testing_BoolValue *expected);

/* True, and the call is finished, if @asked (which may be NULL) wants a status other than OK. */
bool interop_finish_as_asked(quoit_call *call, const grpc_testing_EchoStatus *asked);

/*
 * A payload of @size zeros in @arena, or NULL and the call is finished: a @size that is negative, or over
 * INTEROP_PAYLOAD_BYTES_MAX, or no memory.
 */
#define INTEROP_PAYLOAD_BYTES_MAX ((int32_t)64 << 20)
grpc_testing_Payload *interop_payload(quoit_call *call, int32_t size, upb_Arena *arena);

void interop_out_of_memory(quoit_call *call);
