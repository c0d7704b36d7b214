/* SPDX-License-Identifier: MIT */
#include "client/outcall_parent.h"

#include "call/trace_fields.h"
#include "client/channel.h"

/* ---- trace context ---- */

/* A field of the parent's, if it is @name. */
static int inherit_field(
        struct quoit_outcall *call, upb_StringView field, upb_StringView value, const char *name)
{
        if (!upb_StringView_IsEqual(field, upb_StringView_FromString(name)))
                return 0;
        return outcall_add_metadata(call, &(quoit_metadata){ name, value });
}

/* All of one name, in their order: there may be several of tracestate (W3C Trace Context, section 3.3.1.1). */
static int inherit(struct quoit_outcall *call, const struct quoit_call *parent, const char *name)
{
        const struct trace_fields *fields = trace_fields_find(parent);
        upb_StringView field, value;
        size_t cursor = 0;
        int r = 0;

        for (size_t i = 0; fields && r == 0 && i < fields->count; i++)
                r = inherit_field(call, upb_StringView_FromString(fields->of[i].name),
                        fields->of[i].value, name);
        while (!fields && r == 0 && fields_next(&parent->request.fields, &cursor, &field, &value))
                r = inherit_field(call, field, value, name);
        return r;
}

int outcall_inherit_trace(struct quoit_outcall *call, const struct quoit_call *parent)
{
        static const char *const names[] = { "traceparent", "tracestate", "grpc-trace-bin" };
        upb_StringView own;
        int r = 0;

        for (size_t i = 0; r == 0 && i < sizeof(names) / sizeof(*names); i++) {
                if (!fields_find(&call->fields, names[i], &own))
                        r = inherit(call, parent, names[i]);
        }
        return r;
}

/* ---- the end ---- */

static void fail(struct quoit_outcall *call, quoit_status outcome)
{
        if (outcome == QUOIT_DEADLINE_EXCEEDED)
                outcall_fail(call, QUOIT_DEADLINE_EXCEEDED,
                        "deadline exceeded, of the call that this one was made for");
        else
                outcall_fail(
                        call, QUOIT_CANCELLED, "the call that this one was made for has ended");
}

static void on_parent_end(struct call_child *child, const struct quoit_call *parent)
{
        struct quoit_outcall *call = CONTAINER_OF(child, struct quoit_outcall, child);
        bool has_ended = outcall_is_over(call) && !call->exchange.reader.first;

        if (!has_ended) /* else the reply, which its handler has, may be what ends the parent */
                fail(call, parent->ring.outcome);
}

void outcall_follow(struct quoit_outcall *call, struct quoit_call *parent)
{
        call->child.on_parent_end = on_parent_end;
        if (call_is_ended(parent))
                fail(call, parent->ring.outcome);
        else
                call_adopt(parent, &call->child);
}
