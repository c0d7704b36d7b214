/* SPDX-License-Identifier: MIT */
#include <quoit/tracing.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <quoit/client_interceptor.h>
#include <quoit/http.h>
#include <quoit/interceptor.h>

#include "services/key_values.h"
#include "services/otlp_endpoint.h"
#include "services/sampler.h"
#include "services/span_exporter.h"
#include "services/text_copy.h"
#include "services/trace_context.h"
#include "services/trace_ids.h"

#define EXPORT_MS 10000
#define BATCH_MS 5000
#define BATCH_SPANS 512
#define QUEUE_SPANS 2048
#define STOP_MS 2000
#define FIELDS_MAX 8 /* that trace outcalls: one of tracestate for each of six callers is plenty */

struct quoit_tracing {
        struct sampler sampler;
        struct trace_ids ids;
        char *headers; /* the exporter's metadata are parts of these */
        char *attributes; /* and its resource's attributes of these */
        struct span_exporter exporter;
};

/* What a call, or an outcall, has until its end: in its arena. */
struct traced {
        quoit_trace trace; /* first: &trace_key leads here */
        quoit_trace parent;
        bool has_parent;
        char peer[SPAN_PEER_BYTES]; /* of an outcall's last attempt */
};

/* Begins a span. */
static void traced_init(struct traced *traced, quoit_tracing *tracing, bool has_parent)
{
        const quoit_trace *parent = has_parent ? &traced->parent : NULL;

        traced->has_parent = has_parent;
        trace_ids_make(&tracing->ids, parent, &traced->trace);
        if (sampler_wants(&tracing->sampler, &traced->trace, parent))
                traced->trace.flags |= QUOIT_TRACE_SAMPLED;
}

/* ---- the end of a span ---- */

static uint64_t clock_ns(clockid_t clock)
{
        struct timespec now;

        clock_gettime(clock, &now);
        return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

static void copy_text(char *to, size_t size, const char *from)
{
        text_copy(to, size, from, from ? strlen(from) : 0);
}

/* @started_ns is on CLOCK_MONOTONIC. */
static void put_span(quoit_tracing *tracing, const struct traced *traced, struct span *span,
        uint64_t started_ns, uint64_t duration_ns)
{
        span->trace = traced->trace;
        if (traced->has_parent)
                memcpy(span->parent_id, traced->parent.span_id, sizeof(span->parent_id));
        span->started_ns = clock_ns(CLOCK_REALTIME) - (clock_ns(CLOCK_MONOTONIC) - started_ns);
        span->ended_ns = span->started_ns + duration_ns;
        span_queue_put(&tracing->exporter.queue, span);
}

/* ---- a server's calls ---- */

/* What its outcalls carry: this span, and the rest as the request has it, if that is sound. */
static void set_outgoing(quoit_call *call, const struct traced *traced)
{
        char text[TRACEPARENT_BYTES], bytes[TRACE_BIN_BYTES];
        quoit_metadata fields[FIELDS_MAX] = {
                { "traceparent", { text, sizeof(text) } },
        };
        upb_StringView name, value;
        size_t count = 1, cursor = 0;

        trace_format(&traced->trace, text);
        trace_format_bin(&traced->trace, bytes);
        if (quoit_call_metadata(call, "grpc-trace-bin", &value))
                fields[count++] = (quoit_metadata){ "grpc-trace-bin", { bytes, sizeof(bytes) } };
        while (traced->has_parent && count < FIELDS_MAX &&
                quoit_call_metadata_next(call, &cursor, &name, &value)) {
                if (upb_StringView_IsEqual(name, upb_StringView_FromString("tracestate")))
                        fields[count++] = (quoit_metadata){ "tracestate", value };
        }
        (void)quoit_call_set_trace(
                call, fields, count); /* without memory they carry the request's */
}

static void on_call_start(quoit_call *call, void *user)
{
        struct traced *traced = NULL;

        if (!quoit_http_method(call)) /* pages and probes are no calls */
                traced = quoit_call_alloc(call, sizeof(*traced));
        if (!traced)
                return;
        traced_init(traced, user, trace_of_request(call, &traced->parent));
        if (quoit_call_attach(call, &trace_key, &traced->trace) == 0)
                set_outgoing(call, traced);
}

static void on_call_end(const quoit_call *call, const quoit_call_summary *summary, void *user)
{
        const struct traced *traced = quoit_call_attachment(call, &trace_key);
        struct span span = { .protocol = summary->protocol,
                .status = summary->status,
                .method = quoit_call_method(call) };

        if (!traced || !(traced->trace.flags & QUOIT_TRACE_SAMPLED))
                return;
        copy_text(span.peer, sizeof(span.peer), quoit_call_peer(call));
        put_span(user, traced, &span, summary->started_ns, summary->duration_ns);
}

int quoit_tracing_attach(quoit_tracing *tracing, quoit_server *server)
{
        static const quoit_interceptor interceptor = { .on_start = on_call_start,
                .on_end = on_call_end };

        return quoit_server_intercept(server, &interceptor, tracing);
}

/* ---- outcalls ---- */

static const char outcall_key;

static void on_outcall_start(quoit_outcall *outcall, void *user)
{
        struct upb_Arena *arena = quoit_outcall_arena(outcall);
        struct traced *traced = arena ? upb_Arena_Malloc(arena, sizeof(*traced)) : NULL;
        char text[TRACEPARENT_BYTES], bytes[TRACE_BIN_BYTES];
        upb_StringView value = { 0 };

        if (!traced)
                return;
        *traced = (struct traced){ 0 };
        (void)quoit_outcall_metadata(outcall, "traceparent", &value);
        traced_init(traced, user, trace_parse(value, &traced->parent));
        if (quoit_outcall_attach(outcall, &outcall_key, traced) < 0)
                return;
        trace_format(&traced->trace, text);
        (void)quoit_outcall_set_metadata(
                outcall, &(quoit_metadata){ "traceparent", { text, sizeof(text) } });
        if (!quoit_outcall_metadata(outcall, "grpc-trace-bin", &value))
                return;
        trace_format_bin(&traced->trace, bytes);
        (void)quoit_outcall_set_metadata(
                outcall, &(quoit_metadata){ "grpc-trace-bin", { bytes, sizeof(bytes) } });
}

/* The one that ended last is the one that its caller has heard of, or it does not matter. */
static void on_attempt_end(const quoit_outcall *outcall, const quoit_attempt *attempt, void *user)
{
        struct traced *traced = quoit_outcall_attachment(outcall, &outcall_key);

        (void)user;
        if (traced && attempt->address)
                copy_text(traced->peer, sizeof(traced->peer), attempt->address);
}

static void on_outcall_end(
        const quoit_outcall *outcall, const quoit_outcall_summary *summary, void *user)
{
        const struct traced *traced = quoit_outcall_attachment(outcall, &outcall_key);
        upb_StringView message = quoit_outcall_status_message(outcall);
        struct span span = { .is_client = true,
                .status = summary->status,
                .method = quoit_outcall_method(outcall) };

        if (!traced || !(traced->trace.flags & QUOIT_TRACE_SAMPLED))
                return;
        copy_text(span.peer, sizeof(span.peer), traced->peer);
        if (summary->status != QUOIT_OK)
                text_copy(span.text, sizeof(span.text), message.data, message.size);
        put_span(user, traced, &span, summary->started_ns, summary->duration_ns);
}

int quoit_tracing_attach_channel(quoit_tracing *tracing, quoit_channel *channel)
{
        static const quoit_client_interceptor interceptor = { .on_start = on_outcall_start,
                .on_attempt_end = on_attempt_end,
                .on_end = on_outcall_end };

        return quoit_channel_intercept(channel, &interceptor, tracing);
}

/* ---- making ---- */

static int refuse(quoit_error *ret_error, const char *what, const char *text, const char *wanted)
{
        ret_error->status = QUOIT_INVALID_ARGUMENT;
        snprintf(ret_error->text, sizeof(ret_error->text), "%s '%s' is not %s", what,
                text ? text : "", wanted);
        return -EINVAL;
}

/* How many pairs there can be. */
static size_t count_pairs(const char *text)
{
        size_t count = 1;

        for (; *text; text++)
                count += *text == ',';
        return count;
}

static int set_headers(quoit_tracing *tracing, const char *text, quoit_error *ret_error)
{
        struct span_exporter *exporter = &tracing->exporter;
        char *cursor, *key, *value;

        if (!text)
                return 0;
        cursor = tracing->headers = strdup(text);
        exporter->metadata = calloc(count_pairs(text), sizeof(*exporter->metadata));
        if (!cursor || !exporter->metadata)
                return -ENOMEM;
        while (key_values_next(&cursor, &key, &value)) {
                for (char *c = key; *c; c++) /* names of HTTP/2 */
                        *c = *c >= 'A' && *c <= 'Z' ? (char)(*c + 'a' - 'A') : *c;
                exporter->metadata[exporter->metadata_count++] =
                        (quoit_metadata){ key, upb_StringView_FromString(value) };
        }
        return cursor ? refuse(ret_error, "headers", text, "NAME=VALUE,...") : 0;
}

static int set_resource(
        quoit_tracing *tracing, const char *text, const char *service_name, quoit_error *ret_error)
{
        struct otlp_resource *resource = &tracing->exporter.resource;
        char *cursor, *key, *value;
        size_t max = text ? count_pairs(text) : 1;

        cursor = tracing->attributes = strdup(text ? text : "");
        resource->keys = calloc(max, sizeof(*resource->keys));
        resource->values = calloc(max, sizeof(*resource->values));
        if (!cursor || !resource->keys || !resource->values)
                return -ENOMEM;
        while (key_values_next(&cursor, &key, &value)) {
                if (strcmp(key, "service.name") == 0) {
                        service_name = service_name ? service_name : value;
                        continue;
                }
                resource->keys[resource->count] = key;
                resource->values[resource->count++] = value;
        }
        if (cursor)
                return refuse(ret_error, "resource attributes", text, "KEY=VALUE,...");
        resource->service_name = strdup(service_name ? service_name : "unknown_service");
        return resource->service_name ? 0 : -ENOMEM;
}

static uint32_t or_default(uint32_t value, uint32_t otherwise)
{
        return value ? value : otherwise;
}

/* What the exporter needs, but for its channel. */
static int prepare(
        quoit_tracing *tracing, const quoit_tracing_options *options, quoit_error *ret_error)
{
        struct span_exporter *exporter = &tracing->exporter;
        int r = sampler_parse(&tracing->sampler, options->sampler, options->sampler_argument);

        if (r < 0)
                return refuse(ret_error, "sampler",
                        options->sampler ? options->sampler : options->sampler_argument,
                        "always_on, always_off or traceidratio, with an argument from 0 to 1, or "
                        "one of them behind parentbased_");
        exporter->compresses = options->compresses;
        exporter->export_ms = or_default(options->export_ms, EXPORT_MS);
        exporter->on_log = options->on_log;
        exporter->log_user = options->log_user;
        trace_ids_init(&tracing->ids);
        r = set_headers(tracing, options->headers, ret_error);
        if (r == 0)
                r = set_resource(
                        tracing, options->resource_attributes, options->service_name, ret_error);
        return r;
}

static int start(
        quoit_tracing *tracing, const quoit_tracing_options *options, quoit_error *ret_error)
{
        struct span_exporter *exporter = &tracing->exporter;
        const quoit_channel_tls tls = { .ca_file = options->ca_file,
                .certificate_file = options->certificate_file,
                .key_file = options->key_file };
        char target[OTLP_TARGET_BYTES];
        bool is_tls;
        int r;

        if (!options->endpoint ||
                !otlp_endpoint_parse(options->endpoint, options->insecure, target, &is_tls))
                return refuse(ret_error, "endpoint", options->endpoint,
                        "http://HOST:PORT, https://HOST:PORT or a channel's target");
        r = span_queue_init(&exporter->queue, or_default(options->queue_spans_max, QUEUE_SPANS),
                or_default(options->batch_spans_max, BATCH_SPANS),
                or_default(options->batch_ms, BATCH_MS));
        if (r < 0)
                return r;
        r = span_exporter_start(exporter, target, is_tls ? &tls : NULL, ret_error);
        if (r < 0)
                span_exporter_stop(exporter, 0);
        return r;
}

static void free_strings(quoit_tracing *tracing)
{
        free(tracing->headers);
        free(tracing->attributes);
        free(tracing->exporter.metadata);
        free(tracing->exporter.resource.service_name);
        free(tracing->exporter.resource.keys);
        free(tracing->exporter.resource.values);
        free(tracing);
}

int quoit_tracing_new(
        const quoit_tracing_options *options, quoit_tracing **ret_tracing, quoit_error *ret_error)
{
        quoit_tracing *tracing = calloc(1, sizeof(*tracing));
        quoit_error error = { .status = QUOIT_INVALID_ARGUMENT };
        int r = tracing ? prepare(tracing, options, &error) : -ENOMEM;

        if (r == 0)
                r = start(tracing, options, &error);
        if (r == 0) {
                *ret_tracing = tracing;
                return 0;
        }
        if (!*error.text)
                snprintf(error.text, sizeof(error.text), "%s", strerror(-r));
        if (ret_error)
                *ret_error = error;
        if (tracing)
                free_strings(tracing);
        return r;
}

quoit_tracing *quoit_tracing_free(quoit_tracing *tracing)
{
        if (!tracing)
                return NULL;
        span_exporter_stop(&tracing->exporter, STOP_MS);
        free_strings(tracing);
        return NULL;
}

/* ---- asking ---- */

int quoit_tracing_flush(quoit_tracing *tracing, unsigned timeout_ms)
{
        return span_queue_flush(&tracing->exporter.queue, timeout_ms);
}

void quoit_tracing_get_statistics(
        const quoit_tracing *tracing, quoit_tracing_statistics *ret_statistics)
{
        struct span_exporter *exporter = (struct span_exporter *)&tracing->exporter;

        *ret_statistics = (quoit_tracing_statistics){
                .exported = atomic_load(&exporter->exported),
                .rejected = atomic_load(&exporter->rejected),
                .failed = atomic_load(&exporter->failed),
                .dropped = span_queue_dropped(&exporter->queue),
        };
}
