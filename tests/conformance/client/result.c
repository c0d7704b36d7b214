/* SPDX-License-Identifier: MIT */

/* What the suite is told of a call. */

#include <string.h>

#include "invoke.h"

typedef CONFORMANCE(Header) header;
typedef bool (*next_fn)(const quoit_outcall *call, size_t *cursor, upb_StringView *ret_name,
        upb_StringView *ret_value);
typedef header **(*get_fn)(compat_result *result, size_t *size);
typedef header *(*add_fn)(compat_result *result, upb_Arena *arena);

static upb_StringView copy(upb_Arena *arena, upb_StringView text)
{
        char *bytes = upb_Arena_Malloc(arena, text.size + 1);

        if (text.size > 0)
                memcpy(bytes, text.data, text.size);
        return upb_StringView_FromDataAndSize(bytes, text.size);
}

/* An empty reply too has a payload, which is empty. */
void result_add_payload(struct invocation *invocation, const upb_Message *reply)
{
        upb_Arena *arena = invocation->arena;
        CONFORMANCE(ConformancePayload) * *payloads;
        CONFORMANCE(UnaryResponse) * same;
        size_t size, count;
        char *bytes;

        upb_Encode(reply, invocation->method->reply, 0, arena, &bytes, &size);
        /* all types of replies are the same on the wire */
        same = CONFORMANCE(UnaryResponse_parse)(bytes, size, arena);
        CONFORMANCE(ClientResponseResult_payloads)(invocation->result, &count);
        payloads = CONFORMANCE(ClientResponseResult_resize_payloads)(
                invocation->result, count + 1, arena);
        payloads[count] = CONFORMANCE(UnaryResponse_mutable_payload)(same, arena);
}

static header *header_of(struct invocation *invocation, upb_StringView name, get_fn get, add_fn add)
{
        size_t count;
        header **headers = get(invocation->result, &count);
        header *added;

        for (size_t i = 0; i < count; i++) {
                if (upb_StringView_IsEqual(CONFORMANCE(Header_name)(headers[i]), name))
                        return headers[i];
        }
        added = add(invocation->result, invocation->arena);
        CONFORMANCE(Header_set_name)(added, copy(invocation->arena, name));
        return added;
}

/* One for each name, with all of its values; binary ones, which the suite has none of but for the status's details, are left out. */
static void add_fields(struct invocation *invocation, next_fn next, get_fn get, add_fn add)
{
        upb_Arena *arena = invocation->arena;
        upb_StringView name, value;
        size_t cursor = 0;

        while (next(invocation->call, &cursor, &name, &value)) {
                if (name.size < 4 || memcmp(name.data + name.size - 4, "-bin", 4) != 0)
                        CONFORMANCE(Header_add_value)(
                                header_of(invocation, name, get, add), copy(arena, value), arena);
        }
}

/* The suite's Error and google.rpc.Status are the same on the wire. */
static void add_error(struct invocation *invocation, quoit_status status)
{
        upb_Arena *arena = invocation->arena;
        CONFORMANCE(Error) *error = NULL;
        upb_StringView details;

        if (quoit_outcall_trailer(invocation->call, "grpc-status-details-bin", &details)) {
                details = copy(arena, details);
                error = CONFORMANCE(Error_parse)(details.data, details.size, arena);
        }
        if (!error)
                error = CONFORMANCE(Error_new)(arena);
        CONFORMANCE(Error_set_code)(error, (int32_t)status);
        CONFORMANCE(Error_set_message)(
                error, copy(arena, quoit_outcall_status_message(invocation->call)));
        CONFORMANCE(ClientResponseResult_set_error)(invocation->result, error);
}

void result_finish(struct invocation *invocation, quoit_status status)
{
        add_fields(invocation, quoit_outcall_header_next,
                CONFORMANCE(ClientResponseResult_mutable_response_headers),
                CONFORMANCE(ClientResponseResult_add_response_headers));
        add_fields(invocation, quoit_outcall_trailer_next,
                CONFORMANCE(ClientResponseResult_mutable_response_trailers),
                CONFORMANCE(ClientResponseResult_add_response_trailers));
        if (status != QUOIT_OK)
                add_error(invocation, status);
        CONFORMANCE(ClientResponseResult_set_num_unsent_requests)(
                invocation->result, (int32_t)(invocation->message_count - invocation->sent));
}
