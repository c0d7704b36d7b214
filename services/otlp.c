/* SPDX-License-Identifier: MIT */
#include "services/otlp.h"

#include <stdlib.h>
#include <string.h>

#include <quoit/version.h>

/* Functions that make a part of it say false where there is no memory. upb's take no NULL for a message. */

/* ---- attributes ---- */

typedef quoit_otlp_KeyValue *(*add_fn)(void *message, upb_Arena *arena);

static quoit_otlp_KeyValue *add_to_span(void *message, upb_Arena *arena)
{
        return quoit_otlp_Span_add_attributes(message, arena);
}

static quoit_otlp_KeyValue *add_to_resource(void *message, upb_Arena *arena)
{
        return quoit_otlp_Resource_add_attributes(message, arena);
}

/* NULL: no memory. */
static quoit_otlp_AnyValue *add(void *message, add_fn add_one, const char *key, upb_Arena *arena)
{
        quoit_otlp_KeyValue *pair = add_one(message, arena);

        if (!pair)
                return NULL;
        quoit_otlp_KeyValue_set_key(pair, upb_StringView_FromString(key));
        return quoit_otlp_KeyValue_mutable_value(pair, arena);
}

static bool add_text(
        void *message, add_fn add_one, const char *key, upb_StringView text, upb_Arena *arena)
{
        quoit_otlp_AnyValue *value = add(message, add_one, key, arena);

        if (value)
                quoit_otlp_AnyValue_set_string_value(value, text);
        return value;
}

static bool add_number(quoit_otlp_Span *span, const char *key, int64_t number, upb_Arena *arena)
{
        quoit_otlp_AnyValue *value = add(span, add_to_span, key, arena);

        if (value)
                quoit_otlp_AnyValue_set_int_value(value, number);
        return value;
}

/* ---- a span ---- */

static upb_StringView bytes_of(const uint8_t *bytes, size_t size)
{
        return upb_StringView_FromDataAndSize((const char *)bytes, size);
}

/* By OpenTelemetry's conventions for gRPC: a server is not at fault where a client asked for what there is not. */
static bool is_error(const struct span *from)
{
        switch (from->status) {
        case QUOIT_OK:
                return false;
        case QUOIT_UNKNOWN:
        case QUOIT_DEADLINE_EXCEEDED:
        case QUOIT_UNIMPLEMENTED:
        case QUOIT_INTERNAL:
        case QUOIT_UNAVAILABLE:
        case QUOIT_DATA_LOSS:
                return true;
        default:
                return from->is_client;
        }
}

static bool set_status(quoit_otlp_Span *span, const struct span *from, upb_Arena *arena)
{
        quoit_otlp_Status *status;

        if (!is_error(from))
                return true;
        status = quoit_otlp_Span_mutable_status(span, arena);
        if (!status)
                return false;
        quoit_otlp_Status_set_code(status, quoit_otlp_Status_STATUS_CODE_ERROR);
        quoit_otlp_Status_set_message(status, upb_StringView_FromString(from->text));
        return true;
}

/* "package.Service/Method" and its parts. Names that a peer has invented are not told: there would be no end of them. */
static bool set_method(quoit_otlp_Span *span, const struct span *from, upb_Arena *arena)
{
        const char *name = from->method ? from->method->path + 1 : "other";
        const char *slash = strchr(name, '/');

        quoit_otlp_Span_set_name(span, upb_StringView_FromString(name));
        if (!slash)
                return true;
        return add_text(span, add_to_span, "rpc.service",
                       upb_StringView_FromDataAndSize(name, (size_t)(slash - name)), arena) &&
               add_text(span, add_to_span, "rpc.method", upb_StringView_FromString(slash + 1),
                       arena);
}

/* Connect names errors by words. All else has gRPC's numbers, also where it travels as something else. */
static bool set_outcome(quoit_otlp_Span *span, const struct span *from, upb_Arena *arena)
{
        bool is_connect = from->protocol == QUOIT_PROTOCOL_CONNECT;
        const char *name = quoit_status_name(from->status);
        size_t size = strlen(name);
        char *word;

        if (!add_text(span, add_to_span, "rpc.system",
                    upb_StringView_FromString(is_connect ? "connect_rpc" : "grpc"), arena))
                return false;
        if (!is_connect)
                return add_number(span, "rpc.grpc.status_code", from->status, arena);
        if (from->status == QUOIT_OK)
                return true;
        word = upb_Arena_Malloc(arena, size);
        for (size_t i = 0; word && i < size; i++)
                word[i] = name[i] == '_' ? '_' : (char)(name[i] - 'A' + 'a');
        return word && add_text(span, add_to_span, "rpc.connect_rpc.error_code",
                               upb_StringView_FromDataAndSize(word, size), arena);
}

/* "ipv4:ADDRESS:PORT", "ipv6:[ADDRESS]:PORT", where a zone's "%" is "%25"; others have no port. */
static bool set_peer(quoit_otlp_Span *span, const struct span *from, upb_Arena *arena)
{
        bool is_v6 = strncmp(from->peer, "ipv6:[", 6) == 0;
        bool is_v4 = strncmp(from->peer, "ipv4:", 5) == 0;
        const char *address = from->peer + (is_v6 ? 6 : 5), *colon = strrchr(from->peer, ':');
        size_t size;

        if (!is_v4 && !is_v6)
                return true;
        size = strcspn(address, is_v6 ? "]%" : ":");
        return add_text(span, add_to_span, "network.peer.address",
                       upb_StringView_FromDataAndSize(address, size), arena) &&
               add_number(span, "network.peer.port", strtol(colon + 1, NULL, 10), arena);
}

static bool fill_span(quoit_otlp_Span *span, const struct span *from, upb_Arena *arena)
{
        static const uint8_t none[sizeof(from->parent_id)];

        quoit_otlp_Span_set_trace_id(
                span, bytes_of(from->trace.trace_id, sizeof(from->trace.trace_id)));
        quoit_otlp_Span_set_span_id(
                span, bytes_of(from->trace.span_id, sizeof(from->trace.span_id)));
        if (memcmp(from->parent_id, none, sizeof(none)) != 0)
                quoit_otlp_Span_set_parent_span_id(
                        span, bytes_of(from->parent_id, sizeof(from->parent_id)));
        quoit_otlp_Span_set_kind(span, from->is_client ? quoit_otlp_Span_SPAN_KIND_CLIENT
                                                       : quoit_otlp_Span_SPAN_KIND_SERVER);
        quoit_otlp_Span_set_start_time_unix_nano(span, from->started_ns);
        quoit_otlp_Span_set_end_time_unix_nano(span, from->ended_ns);
        quoit_otlp_Span_set_flags(span, from->trace.flags);
        return set_method(span, from, arena) && set_outcome(span, from, arena) &&
               set_peer(span, from, arena) && set_status(span, from, arena);
}

/* ---- an export ---- */

static bool fill_resource(
        quoit_otlp_ResourceSpans *of, const struct otlp_resource *from, upb_Arena *arena)
{
        quoit_otlp_Resource *resource = quoit_otlp_ResourceSpans_mutable_resource(of, arena);
        const struct {
                const char *key, *value;
        } known[] = {
                { "service.name", from->service_name },
                { "telemetry.sdk.name", "quoit" },
                { "telemetry.sdk.language", "c" },
                { "telemetry.sdk.version", quoit_version() },
        };
        bool is_done = resource;

        for (size_t i = 0; is_done && i < sizeof(known) / sizeof(*known); i++)
                is_done = add_text(resource, add_to_resource, known[i].key,
                        upb_StringView_FromString(known[i].value), arena);
        for (size_t i = 0; is_done && i < from->count; i++)
                is_done = add_text(resource, add_to_resource, from->keys[i],
                        upb_StringView_FromString(from->values[i]), arena);
        return is_done;
}

static bool fill_scope(quoit_otlp_ScopeSpans *of, upb_Arena *arena)
{
        quoit_otlp_InstrumentationScope *scope = quoit_otlp_ScopeSpans_mutable_scope(of, arena);

        if (!scope)
                return false;
        quoit_otlp_InstrumentationScope_set_name(scope, upb_StringView_FromString("quoit"));
        quoit_otlp_InstrumentationScope_set_version(
                scope, upb_StringView_FromString(quoit_version()));
        return true;
}

static bool fill_spans(
        quoit_otlp_ScopeSpans *of, const struct span *spans, size_t count, upb_Arena *arena)
{
        for (size_t i = 0; i < count; i++) {
                quoit_otlp_Span *span = quoit_otlp_ScopeSpans_add_spans(of, arena);

                if (!span || !fill_span(span, spans + i, arena))
                        return false;
        }
        return true;
}

quoit_otlp_ExportTraceServiceRequest *otlp_make(upb_Arena *arena,
        const struct otlp_resource *resource, const struct span *spans, size_t count)
{
        quoit_otlp_ExportTraceServiceRequest *request =
                quoit_otlp_ExportTraceServiceRequest_new(arena);
        quoit_otlp_ResourceSpans *of_resource =
                request ? quoit_otlp_ExportTraceServiceRequest_add_resource_spans(request, arena)
                        : NULL;
        quoit_otlp_ScopeSpans *of_scope =
                of_resource ? quoit_otlp_ResourceSpans_add_scope_spans(of_resource, arena) : NULL;

        if (!of_scope || !fill_resource(of_resource, resource, arena) ||
                !fill_scope(of_scope, arena) || !fill_spans(of_scope, spans, count, arena))
                return NULL;
        return request;
}
