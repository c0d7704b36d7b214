/* SPDX-License-Identifier: MIT */
#include "call/interceptors.h"

#include <errno.h>
#include <stdlib.h>

#include "call/attachments.h"
#include "call/dialect.h"
#include "call/generic.h"
#include "call/here.h"
#include "call/unknown.h"
#include "core/clock.h"

const quoit_method *quoit_call_method(const quoit_call *call)
{
        if (!call_is_here(call, __func__))
                return NULL;
        return call->request.route && !route_is_unknown(call->request.route) &&
                               !call_is_generic(call) && !call->request.is_http
                       ? call->request.route->method
                       : NULL;
}

unsigned quoit_call_ring(const quoit_call *call)
{
        return call_is_here(call, __func__) ? call_host_of(call)->index : 0;
}

/* ---- start ---- */

static const struct interceptors *interceptors_of(const struct quoit_call *call)
{
        return call_host_of(call)->interceptors;
}

bool interceptors_remain(const struct quoit_call *call)
{
        const struct interceptors *interceptors = interceptors_of(call);

        return interceptors && call->ring.starts < interceptors->count;
}

void interceptors_start(struct quoit_call *call)
{
        const struct interceptors *interceptors = interceptors_of(call);

        while (call->ring.state == CALL_OPEN && !call_is_held(call) && interceptors_remain(call)) {
                unsigned i = call->ring.starts++;

                if (interceptors->list[i].functions->on_start)
                        interceptors->list[i].functions->on_start(call, interceptors->list[i].user);
        }
}

void quoit_call_proceed(quoit_call *call)
{
        /* a call that was lent to a worker has started; only the ring's thread may look at the rest */
        if (!call_is_here(call, __func__) || call->offload || call->ring.started ||
                !call->handler.held)
                return;
        call->handler.held = false;
        call_wake(call);
}

/* ---- messages ---- */

void interceptors_received(struct quoit_call *call, const quoit_message_info *info)
{
        const struct interceptors *interceptors = interceptors_of(call);

        for (unsigned i = 0; i < interceptors->count && !call_is_over(call); i++) {
                if (interceptors->list[i].functions->on_received)
                        interceptors->list[i].functions->on_received(
                                call, info, interceptors->list[i].user);
        }
        call->handler.finish_owed = call->handler.finish_asked;
}

void interceptors_sent(struct quoit_call *call, const quoit_message_info *info)
{
        const struct interceptors *interceptors = interceptors_of(call);

        for (unsigned i = 0; i < interceptors->count && !call_is_over(call); i++) {
                if (interceptors->list[i].functions->on_sent)
                        interceptors->list[i].functions->on_sent(
                                call, info, interceptors->list[i].user);
        }
        call->handler.finish_owed = call->handler.finish_asked;
}

/* ---- end ---- */

static unsigned http_status_of(const struct quoit_call *call)
{
        if (call->ring.http_answered)
                return (unsigned)atoi(call->request.http_status);
        return call->front && call->front->http_status ? call->front->http_status : 200;
}

static quoit_call_summary summarize(const struct quoit_call *call)
{
        uint64_t opened_ns = call->ring.opened_ns;
        uint64_t handled_ns = call->handler.handled_ns;
        bool handled = handled_ns > 0 && !route_is_unknown(call->request.route);
        uint64_t duration_ns = call_clock_ns(call) - opened_ns;

        return (quoit_call_summary){
                .status = call->ring.outcome,
                .http_status = http_status_of(call),
                .handled = handled,
                .started_ns = opened_ns,
                .duration_ns = duration_ns,
                .wait_ns = handled ? handled_ns - opened_ns : duration_ns,
                .messages_received = call->exchange.reader.messages,
                .messages_sent = call->exchange.lent.messages_sent,
                .bytes_received = call->exchange.reader.message_bytes,
                .bytes_sent = call->exchange.lent.bytes_sent,
                .protocol = call_protocol(call),
        };
}

void interceptors_end(struct quoit_call *call)
{
        const struct interceptors *interceptors = interceptors_of(call);
        quoit_call_summary summary = summarize(call);

        for (unsigned i = interceptors->count; i-- > 0;) {
                if (!interceptors->list[i].functions->on_end)
                        continue;
                summary.start_seen = i < call->ring.starts;
                interceptors->list[i].functions->on_end(call, &summary, interceptors->list[i].user);
        }
}

/* ---- attachments ---- */

int quoit_call_attach(quoit_call *call, const void *key, void *value)
{
        struct attachment *attachment;

        if (!call_is_here(call, __func__))
                return -EPERM;
        attachment = attachments_find(call->handler.attachments, key);
        if (attachment) {
                attachment->value = value;
                return 0;
        }
        attachment = call_alloc(call, sizeof(*attachment));
        if (!attachment)
                return -ENOMEM;
        attachments_add(&call->handler.attachments, attachment, key, value);
        return 0;
}

void *quoit_call_attachment(const quoit_call *call, const void *key)
{
        const struct attachment *attachment =
                call_is_here(call, __func__) ? attachments_find(call->handler.attachments, key)
                                             : NULL;

        return attachment ? attachment->value : NULL;
}
