/* SPDX-License-Identifier: MIT */
#include "conformance.h"

/* The payload of the one answer, after its delay; NULL: the call is finished, since an error was wanted. */
static payload *answer(quoit_call *call, const unary_definition *definition, request_info *info)
{
        const header *const *fields;
        size_t count;

        if (!definition)
                return payload_new(call, upb_StringView_FromString(""), info);
        fields = CONFORMANCE(UnaryResponseDefinition_response_headers)(definition, &count);
        add_fields(call, fields, count, quoit_call_add_header);
        fields = CONFORMANCE(UnaryResponseDefinition_response_trailers)(definition, &count);
        add_fields(call, fields, count, quoit_call_add_trailer);
        delay(CONFORMANCE(UnaryResponseDefinition_response_delay_ms)(definition));
        if (CONFORMANCE(UnaryResponseDefinition_has_error)(definition)) {
                finish(call, CONFORMANCE(UnaryResponseDefinition_error)(definition), info);
                return NULL;
        }
        return payload_new(
                call, CONFORMANCE(UnaryResponseDefinition_response_data)(definition), info);
}

static void unary(quoit_call *call, const CONFORMANCE(UnaryRequest) * request, void *user)
{
        upb_Arena *arena = quoit_call_arena(call);
        request_info *info = info_new(call);
        size_t size;
        const char *bytes = CONFORMANCE(UnaryRequest_serialize)(request, arena, &size);
        payload *made;

        (void)user;
        info_add_request(call, info, "UnaryRequest", bytes, size);
        made = answer(call, CONFORMANCE(UnaryRequest_response_definition)(request), info);
        if (made) {
                CONFORMANCE(UnaryResponse) *reply = CONFORMANCE(UnaryResponse_new)(arena);

                CONFORMANCE(UnaryResponse_set_payload)(reply, made);
                CONFORMANCE(ConformanceService_Unary_reply)(call, reply);
        }
}

static void idempotent_unary(
        quoit_call *call, const CONFORMANCE(IdempotentUnaryRequest) * request, void *user)
{
        upb_Arena *arena = quoit_call_arena(call);
        request_info *info = info_new(call);
        size_t size;
        const char *bytes = CONFORMANCE(IdempotentUnaryRequest_serialize)(request, arena, &size);
        payload *made;

        (void)user;
        info_add_request(call, info, "IdempotentUnaryRequest", bytes, size);
        made = answer(call, CONFORMANCE(IdempotentUnaryRequest_response_definition)(request), info);
        if (made) {
                CONFORMANCE(IdempotentUnaryResponse) *reply =
                        CONFORMANCE(IdempotentUnaryResponse_new)(arena);

                CONFORMANCE(IdempotentUnaryResponse_set_payload)(reply, made);
                CONFORMANCE(ConformanceService_IdempotentUnary_reply)(call, reply);
        }
}

/* ---- ClientStream ---- */

struct collection {
        request_info *info;
        const unary_definition *definition;
        bool has_first;
};

static void *client_stream_start(quoit_call *call, void *user)
{
        struct collection *collection = quoit_call_alloc(call, sizeof(*collection));

        (void)user;
        collection->info = info_new(call);
        return collection;
}

static void client_stream_message(
        quoit_call *call, const CONFORMANCE(ClientStreamRequest) * message, void *state)
{
        struct collection *collection = state;
        upb_Arena *arena = quoit_call_arena(call);
        size_t size;
        const char *bytes = CONFORMANCE(ClientStreamRequest_serialize)(message, arena, &size);

        info_add_request(call, collection->info, "ClientStreamRequest", bytes, size);
        if (!collection->has_first) /* it lives until this returns: parsed again, as long as the call */
                collection->definition = CONFORMANCE(ClientStreamRequest_response_definition)(
                        CONFORMANCE(ClientStreamRequest_parse)(bytes, size, arena));
        collection->has_first = true;
}

static void client_stream_half_close(quoit_call *call, void *state)
{
        struct collection *collection = state;
        payload *made = answer(call, collection->definition, collection->info);

        if (made) {
                CONFORMANCE(ClientStreamResponse) *reply =
                        CONFORMANCE(ClientStreamResponse_new)(quoit_call_arena(call));

                CONFORMANCE(ClientStreamResponse_set_payload)(reply, made);
                CONFORMANCE(ConformanceService_ClientStream_reply)(call, reply);
        }
}

void unary_add(conformance_service *service)
{
        service->Unary = unary;
        service->IdempotentUnary = idempotent_unary;
        service->ClientStream = (CONFORMANCE(ConformanceService_ClientStream_handler)){
                .on_start = client_stream_start,
                .on_message = client_stream_message,
                .on_half_close = client_stream_half_close,
        };
}
