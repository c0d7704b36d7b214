/* SPDX-License-Identifier: MIT */
#include "client/interception.h"

#include <errno.h>
#include <string.h>

#include "client/channel.h"
#include "client/handle.h"
#include "client/outcall.h"

static uint64_t clock_of(const struct quoit_outcall *call)
{
        return ring_clock_ns(channel_ring(call->channel));
}

/* ---- start ---- */

int interception_init(struct quoit_outcall *call)
{
        const struct client_interceptors *interceptors = call->channel->handle->interceptors;
        upb_Arena *arena = interceptors ? exchange_arena(&call->exchange) : NULL;
        struct interception *interception;

        if (!interceptors)
                return 0;
        interception = arena ? upb_Arena_Malloc(arena, sizeof(*interception)) : NULL;
        if (!interception)
                return -ENOMEM;
        memset(interception, 0, sizeof(*interception));
        interception->interceptors = interceptors;
        interception->summary.started_ns = clock_of(call);
        call->interception = interception;
        return 0;
}

/* False: one of them holds or has ended it. */
static bool show_start(struct quoit_outcall *call, struct interception *interception)
{
        const struct client_interceptors *interceptors = interception->interceptors;

        interception->is_starting = true;
        while (!outcall_is_over(call) && !interception->is_held &&
                interception->starts < interceptors->count) {
                unsigned i = interception->starts++;

                if (interceptors->list[i].functions->on_start)
                        interceptors->list[i].functions->on_start(call, interceptors->list[i].user);
        }
        interception->is_starting = false;
        return !outcall_is_over(call) && !interception->is_held;
}

void interception_start(struct quoit_outcall *call)
{
        struct interception *interception = call->interception;

        if (interception && !show_start(call, interception)) {
                if (interception->is_held)
                        channel_stir(call->channel); /* it may connect meanwhile */
                return;
        }
        if (interception)
                interception->has_started = true;
        if (!outcall_is_over(call))
                outcall_go(call);
}

bool interception_holds(const struct quoit_outcall *call)
{
        return call->interception && call->interception->is_held;
}

/* ---- messages and headers ---- */

void interception_sent(struct quoit_outcall *call, const quoit_message_info *info)
{
        const struct client_interceptors *interceptors;

        if (!call->interception)
                return;
        interceptors = call->interception->interceptors;
        for (unsigned i = 0; i < interceptors->count && !outcall_is_over(outcall_subject(call));
                i++) {
                if (interceptors->list[i].functions->on_sent)
                        interceptors->list[i].functions->on_sent(
                                call, info, interceptors->list[i].user);
        }
}

void interception_received(struct quoit_outcall *call, const quoit_message_info *info)
{
        const struct client_interceptors *interceptors;

        if (!call->interception)
                return;
        interceptors = call->interception->interceptors;
        for (unsigned i = 0; i < interceptors->count && !outcall_subject(call)->has_failed; i++) {
                if (interceptors->list[i].functions->on_received)
                        interceptors->list[i].functions->on_received(
                                call, info, interceptors->list[i].user);
        }
}

void interception_headers(struct quoit_outcall *call)
{
        const struct client_interceptors *interceptors;

        if (!call->interception)
                return;
        interceptors = call->interception->interceptors;
        for (unsigned i = 0; i < interceptors->count && !outcall_subject(call)->has_failed; i++) {
                if (interceptors->list[i].functions->on_headers)
                        interceptors->list[i].functions->on_headers(
                                call, interceptors->list[i].user);
        }
}

/* ---- end ---- */

void interception_note_end(struct quoit_outcall *call)
{
        const struct quoit_outcall *subject = outcall_subject(call);
        const struct exchange_lent *lent = &call->exchange.lent;
        quoit_outcall_summary *summary;

        if (!call->interception)
                return;
        summary = &call->interception->summary;
        summary->status = subject->status;
        summary->duration_ns = clock_of(call) - summary->started_ns;
        summary->messages_received = subject->exchange.reader.messages;
        summary->bytes_received = subject->exchange.reader.message_bytes;
        summary->messages_sent = lent->messages_sent;
        summary->bytes_sent = lent->bytes_sent;
        if (subject != call) { /* what was sent before it has won is counted in the call */
                summary->messages_sent += subject->exchange.lent.messages_sent;
                summary->bytes_sent += subject->exchange.lent.bytes_sent;
        }
}

void interception_settle(struct quoit_outcall *call)
{
        struct interception *interception = call->interception;
        const struct client_interceptors *interceptors;
        quoit_outcall_summary summary;

        if (!interception || call->state != OUTCALL_DONE || interception->has_ended ||
                interception->is_held ||
                (interception->open > 0 && !call->channel->client->is_broken))
                return;
        interception->has_ended = true;
        interceptors = interception->interceptors;
        summary = interception->summary;
        for (unsigned i = interceptors->count; i-- > 0;) {
                if (!interceptors->list[i].functions->on_end)
                        continue;
                summary.start_seen = i < interception->starts;
                interceptors->list[i].functions->on_end(call, &summary, interceptors->list[i].user);
        }
}

/* ---- attempts ---- */

static void count(quoit_outcall_summary *summary, quoit_attempt_kind kind)
{
        switch (kind) {
        case QUOIT_ATTEMPT_FIRST:
                break;
        case QUOIT_ATTEMPT_RETRY:
                summary->retries++;
                break;
        case QUOIT_ATTEMPT_TRANSPARENT:
                summary->transparent_retries++;
                break;
        case QUOIT_ATTEMPT_HEDGE:
                summary->hedges++;
                break;
        }
}

void interception_open_attempt(struct quoit_outcall *call, quoit_attempt_kind kind)
{
        struct interception *interception = outcall_known(call)->interception;

        if (!interception)
                return;
        call->attempt = (struct attempt){ .began_ns = clock_of(call),
                .kind = kind,
                .is_open = true,
                .is_new = interception->interceptors->see_attempts };
        if (interception->open++ == 0 && interception->idle_since_ns > 0)
                interception->summary.retry_delay_ns +=
                        call->attempt.began_ns - interception->idle_since_ns;
        count(&interception->summary, kind);
        if (call->attempt.is_new)
                outcall_wake(call);
}

void interception_tell_attempt(struct quoit_outcall *call)
{
        struct quoit_outcall *known = outcall_known(call);
        const struct client_interceptors *interceptors = known->interception->interceptors;
        const quoit_attempt attempt = { .kind = call->attempt.kind,
                .started_ns = call->attempt.began_ns };

        call->attempt.is_new = false;
        for (unsigned i = 0; i < interceptors->count; i++) {
                if (interceptors->list[i].functions->on_attempt)
                        interceptors->list[i].functions->on_attempt(
                                known, &attempt, interceptors->list[i].user);
        }
}

/* @status: it has ended with that. */
static quoit_attempt describe(
        const struct quoit_outcall *call, quoit_status status, uint64_t now_ns)
{
        quoit_attempt attempt = { .kind = call->attempt.kind,
                .started_ns = call->attempt.began_ns,
                .duration_ns = now_ns - call->attempt.began_ns,
                .status = status };

        if (!call->subchannel)
                return attempt;
        attempt.address = call->subchannel->text;
        attempt.bytes_sent = call->exchange.lent.bytes_sent;
        if (call->face)
                attempt.bytes_sent += call->face->exchange.lent.bytes_sent;
        attempt.bytes_received = call->exchange.reader.message_bytes;
        return attempt;
}

void interception_close_attempt(struct quoit_outcall *call, quoit_status status)
{
        struct quoit_outcall *known = outcall_known(call);
        const struct client_interceptors *interceptors;
        uint64_t now_ns;
        quoit_attempt attempt;

        if (!call->attempt.is_open)
                return;
        call->attempt.is_open = false;
        now_ns = clock_of(call);
        if (--known->interception->open == 0)
                known->interception->idle_since_ns = now_ns;
        attempt = describe(call, status, now_ns);
        interceptors = known->interception->interceptors;
        for (unsigned i = interceptors->count; i-- > 0;) {
                if (interceptors->list[i].functions->on_attempt_end)
                        interceptors->list[i].functions->on_attempt_end(
                                known, &attempt, interceptors->list[i].user);
        }
}
