/* SPDX-License-Identifier: MIT */
#include "interop.h"

#include <inttypes.h>
#include <time.h>

static void empty_call(quoit_call *call, const grpc_testing_Empty *request, void *user)
{
        grpc_testing_Empty *reply = grpc_testing_Empty_new(quoit_call_arena(call));

        (void)request;
        (void)user;
        interop_echo_metadata(call);
        grpc_testing_TestService_EmptyCall_reply(call, reply);
}

/* Whether the request is acceptable; if not, the call is finished. */
static bool accept(quoit_call *call, const grpc_testing_SimpleRequest *request)
{
        return interop_check_compression(
                       call, grpc_testing_SimpleRequest_expect_compressed(request)) &&
               !interop_finish_as_asked(call, grpc_testing_SimpleRequest_response_status(request));
}

static bool wants_compression(const grpc_testing_SimpleRequest *request)
{
        const grpc_testing_BoolValue *wanted =
                grpc_testing_SimpleRequest_response_compressed(request);

        return wanted && grpc_testing_BoolValue_value(wanted);
}

static void unary_call(quoit_call *call, const grpc_testing_SimpleRequest *request, void *user)
{
        upb_Arena *arena = quoit_call_arena(call);
        grpc_testing_SimpleResponse *reply;
        grpc_testing_Payload *payload;

        interop_echo_metadata(call);
        if (!accept(call, request))
                return;
        payload = interop_payload(call, grpc_testing_SimpleRequest_response_size(request), arena);
        if (!payload)
                return;
        reply = grpc_testing_SimpleResponse_new(arena);
        if (!reply) {
                interop_out_of_memory(call);
                return;
        }
        grpc_testing_SimpleResponse_set_payload(reply, payload);
        if (grpc_testing_SimpleRequest_fill_server_id(request))
                grpc_testing_SimpleResponse_set_server_id(reply, upb_StringView_FromString(user));
        if (wants_compression(request)) /* works if the client accepts it */
                (void)quoit_call_set_compression(call, QUOIT_GZIP);
        grpc_testing_TestService_UnaryCall_reply(call, reply);
}

/* The answer is the time, as in gRPC C++'s server: an equal second answer must come from a cache. */
static void cacheable_unary_call(
        quoit_call *call, const grpc_testing_SimpleRequest *request, void *user)
{
        upb_Arena *arena = quoit_call_arena(call);
        grpc_testing_SimpleResponse *reply = grpc_testing_SimpleResponse_new(arena);
        grpc_testing_Payload *payload = grpc_testing_Payload_new(arena);
        struct timespec now;

        (void)user;
        interop_echo_metadata(call);
        if (!accept(call, request))
                return;
        if (!reply || !payload) {
                interop_out_of_memory(call);
                return;
        }
        clock_gettime(CLOCK_REALTIME, &now);
        (void)quoit_call_add_header(
                call, "cache-control", upb_StringView_FromString("max-age=60, public"));
        grpc_testing_Payload_set_body(
                payload, quoit_call_format(call, "%jd.%09ld", (intmax_t)now.tv_sec, now.tv_nsec));
        grpc_testing_SimpleResponse_set_payload(reply, payload);
        grpc_testing_TestService_CacheableUnaryCall_reply(call, reply);
}

void unary_add(grpc_testing_TestService_service *service)
{
        service->EmptyCall = empty_call;
        service->UnaryCall = unary_call;
        service->CacheableUnaryCall = cacheable_unary_call;
}
