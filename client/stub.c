/* SPDX-License-Identifier: MIT */

/* What generated stubs stand on. */

#include <quoit/stub.h>

#include "client/outcall.h"

/* Of a call that could not be made: its caller has the error already. */
static const quoit_outcall_handler nobody;

static void abandon(struct quoit_outcall *call)
{
        call->handler = &nobody;
        outcall_fail(call, QUOIT_CANCELLED, "the request cannot be sent");
}

int quoit_stub_start(quoit_channel *channel, const quoit_method *method,
        const struct upb_Message *request, const quoit_call_options *options,
        const quoit_outcall_handler *thunks, quoit_stub_target target, void *user,
        quoit_outcall **ret_call)
{
        quoit_outcall *call;
        int r = quoit_outcall_start(channel, method, options, thunks, user, &call);

        if (r < 0)
                return r;
        call->target = target;
        if (!call->exchange.sends_many)
                r = outcall_send(call, request);
        if (r < 0)
                abandon(call);
        else if (ret_call)
                *ret_call = call;
        return r;
}

quoit_stub_target quoit_stub_target_of(const quoit_outcall *call)
{
        return call->target;
}
