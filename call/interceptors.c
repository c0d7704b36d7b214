/* SPDX-License-Identifier: MIT */
#include "call/interceptors.h"

#include <errno.h>
#include <stdlib.h>

#include "call/call.h"
#include "call/generic.h"
#include "call/here.h"
#include "call/unknown.h"
#include "core/clock.h"

const quoit_method *quoit_call_method(const quoit_call *call)
{
        if (!call_is_here(call, __func__))
                return NULL;
        return call->route && !route_is_unknown(call->route) && !call_is_generic(call)
                       ? call->route->method
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

        return interceptors && call->seen.starts < interceptors->count;
}

void interceptors_start(struct quoit_call *call)
{
        const struct interceptors *interceptors = interceptors_of(call);

        while (call->state == CALL_OPEN && !call_is_held(call) && interceptors_remain(call)) {
                unsigned i = call->seen.starts++;

                if (interceptors->list[i].functions->on_start)
                        interceptors->list[i].functions->on_start(call, interceptors->list[i].user);
        }
}

void quoit_call_proceed(quoit_call *call)
{
        if (!call_is_here(call, __func__) || call->started || !call->held)
                return;
        call->held = false;
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
        call->finish_owed = call->finish_asked;
}

void interceptors_sent(struct quoit_call *call, const quoit_message_info *info)
{
        const struct interceptors *interceptors = interceptors_of(call);

        for (unsigned i = 0; i < interceptors->count && !call_is_over(call); i++) {
                if (interceptors->list[i].functions->on_sent)
                        interceptors->list[i].functions->on_sent(
                                call, info, interceptors->list[i].user);
        }
        call->finish_owed = call->finish_asked;
}

/* ---- end ---- */

static quoit_call_summary summarize(const struct quoit_call *call)
{
        const struct seen *seen = &call->seen;
        bool handled = seen->handled_ns > 0 && !route_is_unknown(call->route);
        uint64_t duration_ns = call_clock_ns(call) - seen->opened_ns;
        const char *http_status = seen->http_status;

        return (quoit_call_summary){
                .status = seen->outcome,
                .http_status = http_status ? (unsigned)atoi(http_status) : 200,
                .handled = handled,
                .started_ns = seen->opened_ns,
                .duration_ns = duration_ns,
                .wait_ns = handled ? seen->handled_ns - seen->opened_ns : duration_ns,
                .messages_received = call->exchange.reader.messages,
                .messages_sent = call->exchange.lent.messages_sent,
                .bytes_received = call->exchange.reader.message_bytes,
                .bytes_sent = call->exchange.lent.bytes_sent,
        };
}

void interceptors_end(struct quoit_call *call)
{
        const struct interceptors *interceptors = interceptors_of(call);
        quoit_call_summary summary = summarize(call);

        for (unsigned i = interceptors->count; i-- > 0;) {
                if (!interceptors->list[i].functions->on_end)
                        continue;
                summary.start_seen = i < call->seen.starts;
                interceptors->list[i].functions->on_end(call, &summary, interceptors->list[i].user);
        }
}

/* ---- attachments ---- */

struct attachment {
        struct attachment *next;
        const void *key;
        void *value;
};

static struct attachment *find_attachment(const struct quoit_call *call, const void *key)
{
        struct attachment *attachment = call->seen.attachments;

        while (attachment && attachment->key != key)
                attachment = attachment->next;
        return attachment;
}

int quoit_call_attach(quoit_call *call, const void *key, void *value)
{
        struct attachment *attachment;

        if (!call_is_here(call, __func__))
                return -EPERM;
        attachment = find_attachment(call, key);
        if (!attachment) {
                attachment = call_alloc(call, sizeof(*attachment));
                if (!attachment)
                        return -ENOMEM;
                attachment->key = key;
                attachment->next = call->seen.attachments;
                call->seen.attachments = attachment;
        }
        attachment->value = value;
        return 0;
}

void *quoit_call_attachment(const quoit_call *call, const void *key)
{
        const struct attachment *attachment =
                call_is_here(call, __func__) ? find_attachment(call, key) : NULL;

        return attachment ? attachment->value : NULL;
}
