/* SPDX-License-Identifier: MIT */
#include "conformance.h"

struct stream {
        request_info *info; /* of the next answer; NULL: it needs none */
        const stream_definition *definition; /* NULL: there was none */
        const upb_StringView *data;
        size_t count; /* of @data */
        size_t sent;
        bool full_duplex;
        bool has_first;
};

static void define(quoit_call *call, struct stream *stream, const stream_definition *definition)
{
        const header *const *fields;
        size_t count;

        stream->definition = definition;
        if (!definition)
                return;
        stream->data =
                CONFORMANCE(StreamResponseDefinition_response_data)(definition, &stream->count);
        fields = CONFORMANCE(StreamResponseDefinition_response_headers)(definition, &count);
        add_fields(call, fields, count, quoit_call_add_header);
        fields = CONFORMANCE(StreamResponseDefinition_response_trailers)(definition, &count);
        add_fields(call, fields, count, quoit_call_add_trailer);
}

/* The next answer, after its delay. */
static payload *next_answer(quoit_call *call, struct stream *stream)
{
        delay(CONFORMANCE(StreamResponseDefinition_response_delay_ms)(stream->definition));
        return payload_new(call, stream->data[stream->sent++], stream->info);
}

static void end(quoit_call *call, const struct stream *stream)
{
        finish(call,
                stream->definition ? CONFORMANCE(StreamResponseDefinition_error)(stream->definition)
                                   : NULL,
                stream->sent == 0 ? stream->info : NULL);
}

/* ---- ServerStream ---- */

static void server_stream(
        quoit_call *call, const CONFORMANCE(ServerStreamRequest) * request, void *user)
{
        upb_Arena *arena = quoit_call_arena(call);
        struct stream stream = { .info = info_new(call) };
        size_t size;
        const char *bytes = CONFORMANCE(ServerStreamRequest_serialize)(request, arena, &size);

        (void)user;
        info_add_request(call, stream.info, "ServerStreamRequest", bytes, size);
        define(call, &stream, CONFORMANCE(ServerStreamRequest_response_definition)(request));
        if (stream.count > 0)
                quoit_call_send_headers(call);
        while (stream.sent < stream.count) {
                CONFORMANCE(ServerStreamResponse) *message =
                        CONFORMANCE(ServerStreamResponse_new)(arena);

                CONFORMANCE(ServerStreamResponse_set_payload)(message, next_answer(call, &stream));
                CONFORMANCE(ConformanceService_ServerStream_send)(call, message);
                stream.info = NULL;
        }
        end(call, &stream);
}

/* ---- BidiStream ---- */

static void *bidi_start(quoit_call *call, void *user)
{
        struct stream *stream = quoit_call_alloc(call, sizeof(*stream));

        (void)user;
        stream->info = info_new(call);
        return stream;
}

static void bidi_send(quoit_call *call, struct stream *stream)
{
        CONFORMANCE(BidiStreamResponse) *message =
                CONFORMANCE(BidiStreamResponse_new)(quoit_call_arena(call));

        CONFORMANCE(BidiStreamResponse_set_payload)(message, next_answer(call, stream));
        CONFORMANCE(ConformanceService_BidiStream_send)(call, message);
        stream->info = NULL;
}

static void bidi_first(quoit_call *call, struct stream *stream, const char *bytes, size_t size)
{
        /* the handler's message lives until it returns: parsed again, as long as the call */
        const CONFORMANCE(BidiStreamRequest) *first =
                CONFORMANCE(BidiStreamRequest_parse)(bytes, size, quoit_call_arena(call));

        stream->has_first = true;
        stream->full_duplex = CONFORMANCE(BidiStreamRequest_full_duplex)(first);
        define(call, stream, CONFORMANCE(BidiStreamRequest_response_definition)(first));
        if (stream->full_duplex && stream->count > 0)
                quoit_call_send_headers(call);
}

static void bidi_message(
        quoit_call *call, const CONFORMANCE(BidiStreamRequest) * message, void *state)
{
        struct stream *stream = state;
        upb_Arena *arena = quoit_call_arena(call);
        size_t size;
        const char *bytes = CONFORMANCE(BidiStreamRequest_serialize)(message, arena, &size);

        if (!stream->info) /* the headers were told once */
                stream->info = CONFORMANCE(ConformancePayload_RequestInfo_new)(arena);
        info_add_request(call, stream->info, "BidiStreamRequest", bytes, size);
        if (!stream->has_first)
                bidi_first(call, stream, bytes, size);
        if (!stream->full_duplex)
                return;
        if (stream->sent < stream->count)
                bidi_send(call, stream);
        else
                end(call, stream);
}

static void bidi_half_close(quoit_call *call, void *state)
{
        struct stream *stream = state;

        if (stream->count > 0)
                quoit_call_send_headers(call);
        while (stream->sent < stream->count)
                bidi_send(call, stream);
        end(call, stream);
}

void streams_add(conformance_service *service)
{
        service->ServerStream = server_stream;
        service->BidiStream = (CONFORMANCE(ConformanceService_BidiStream_handler)){
                .on_start = bidi_start,
                .on_message = bidi_message,
                .on_half_close = bidi_half_close,
        };
}
