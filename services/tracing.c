/* SPDX-License-Identifier: MIT */
#include "services/tracing.h"

#include <string.h>
#include <time.h>

#include <quoit/client_interceptor.h>
#include <quoit/http.h>
#include <quoit/interceptor.h>

#include "services/text_copy.h"
#include "services/trace_context.h"

#define FIELDS_MAX 8 /* that trace outcalls: one of tracestate for each of six callers is plenty */

/* What a call, or an outcall, has until its end: in its arena. */
struct traced {
        quoit_trace trace; /* first: &trace_key and &trace_outcall_key lead here */
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
        if (quoit_outcall_attach(outcall, &trace_outcall_key, traced) < 0)
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
        struct traced *traced = quoit_outcall_attachment(outcall, &trace_outcall_key);

        (void)user;
        if (traced && attempt->address)
                copy_text(traced->peer, sizeof(traced->peer), attempt->address);
}

static void on_outcall_end(
        const quoit_outcall *outcall, const quoit_outcall_summary *summary, void *user)
{
        const struct traced *traced = quoit_outcall_attachment(outcall, &trace_outcall_key);
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
