/* SPDX-License-Identifier: MIT */
#include "interop.h"

#include <inttypes.h>

#define STATUS_MAX QUOIT_UNAUTHENTICATED

/* Never written to, so it costs only the kernel's zero page. */
static char zeros[INTEROP_PAYLOAD_BYTES_MAX];

void interop_echo_metadata(quoit_call *call)
{
        upb_StringView value;

        if (quoit_call_metadata(call, "x-grpc-test-echo-initial", &value))
                (void)quoit_call_add_header(call, "x-grpc-test-echo-initial", value);
        if (quoit_call_metadata(call, "x-grpc-test-echo-trailing-bin", &value))
                (void)quoit_call_add_trailer(call, "x-grpc-test-echo-trailing-bin", value);
}

bool interop_check_compression(quoit_call *call, const grpc_testing_BoolValue *expected)
{
        bool compressed = quoit_call_request_compression(call) != QUOIT_IDENTITY;

        if (!expected || grpc_testing_BoolValue_value(expected) == compressed)
                return true;
        quoit_call_finishf(call, QUOIT_INVALID_ARGUMENT,
                "the message is %scompressed, against expectation", compressed ? "" : "not ");
        return false;
}

bool interop_finish_as_asked(quoit_call *call, const grpc_testing_EchoStatus *asked)
{
        int32_t code = asked ? grpc_testing_EchoStatus_code(asked) : QUOIT_OK;
        upb_StringView message;

        if (code == QUOIT_OK)
                return false;
        message = grpc_testing_EchoStatus_message(asked);
        quoit_call_finishf(call, code < 0 || code > STATUS_MAX ? QUOIT_UNKNOWN : (quoit_status)code,
                "%.*s", (int)message.size, message.data);
        return true;
}

grpc_testing_Payload *interop_payload(quoit_call *call, int32_t size, upb_Arena *arena)
{
        grpc_testing_Payload *payload;

        if (size < 0) {
                quoit_call_finishf(call, QUOIT_INVALID_ARGUMENT,
                        "a payload can't have %" PRId32 " bytes", size);
                return NULL;
        }
        if (size > INTEROP_PAYLOAD_BYTES_MAX) {
                quoit_call_finishf(call, QUOIT_RESOURCE_EXHAUSTED,
                        "a payload of %" PRId32 " bytes is over the limit of %" PRId32, size,
                        INTEROP_PAYLOAD_BYTES_MAX);
                return NULL;
        }
        payload = grpc_testing_Payload_new(arena);
        if (payload)
                grpc_testing_Payload_set_body(
                        payload, upb_StringView_FromDataAndSize(zeros, (size_t)size));
        else
                interop_out_of_memory(call);
        return payload;
}

void interop_out_of_memory(quoit_call *call)
{
        quoit_call_finish(call, QUOIT_RESOURCE_EXHAUSTED, "out of memory");
}
