/* SPDX-License-Identifier: MIT */
#include "test_server.h"

#include "bad_request.quoit.h"

static google_rpc_BadRequest *bad_request(quoit_call *call, const calls_DetailsRequest *request)
{
        upb_Arena *arena = quoit_call_arena(call);
        google_rpc_BadRequest *bad = google_rpc_BadRequest_new(arena);
        upb_StringView field, description;
        size_t cursor = kUpb_Map_Begin;

        while (calls_DetailsRequest_violations_next(request, &field, &description, &cursor)) {
                google_rpc_BadRequest_FieldViolation *violation =
                        google_rpc_BadRequest_add_field_violations(bad, arena);

                google_rpc_BadRequest_FieldViolation_set_field(violation, field);
                google_rpc_BadRequest_FieldViolation_set_description(violation, description);
        }
        return bad;
}

static void details(quoit_call *call, const calls_DetailsRequest *request, void *user)
{
        calls_Payload *payload = calls_Payload_new(quoit_call_arena(call));
        size_t size = (size_t)calls_DetailsRequest_payload(request);
        const quoit_detail all[] = {
                { "google.rpc.BadRequest", UPB_UPCAST(bad_request(call, request)),
                        &quoit_google__rpc__BadRequest_msg_init },
                { "example.org/calls.Payload", UPB_UPCAST(payload),
                        &quoit_calls__Payload_msg_init },
        };
        upb_StringView message = calls_DetailsRequest_message(request);
        char *text = quoit_call_alloc(call, message.size + 1);

        watch(call, user);
        for (size_t i = 0; i < message.size; i++)
                text[i] = message.data[i];
        calls_Payload_set_data(
                payload, upb_StringView_FromDataAndSize(quoit_call_alloc(call, size + 1), size));
        quoit_call_finish_details(call, (quoit_status)calls_DetailsRequest_code(request), text, all,
                size > 0 ? 2 : 1);
}

void details_add(calls_Calls_service *service)
{
        service->Details = details;
}
