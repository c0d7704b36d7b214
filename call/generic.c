/* SPDX-License-Identifier: MIT */
#include "call/generic.h"

/* ---- thunks: @implementation is the handler, any of whose functions may be absent ---- */

static void *start(const void *implementation, quoit_call *call, void *user)
{
        const quoit_generic_handler *handler = implementation;

        return handler->on_start ? handler->on_start(call, user) : user;
}

static void half_close(const void *implementation, quoit_call *call, void *state)
{
        const quoit_generic_handler *handler = implementation;

        if (handler->on_half_close)
                handler->on_half_close(call, state);
}

static void writable(const void *implementation, quoit_call *call, void *state)
{
        const quoit_generic_handler *handler = implementation;

        if (handler->on_writable)
                handler->on_writable(call, state);
}

static void done(const void *implementation, quoit_call *call, void *state)
{
        const quoit_generic_handler *handler = implementation;

        if (handler->on_done)
                handler->on_done(call, state);
}

const quoit_method generic_method = {
        .path = "",
        .kind = QUOIT_BIDI,
        .on_start = start,
        .on_half_close = half_close,
        .on_writable = writable,
        .on_done = done,
};

void generic_message(struct quoit_call *call, upb_StringView message)
{
        const quoit_generic_handler *handler = call->request.route->implementation;

        if (handler->on_message)
                handler->on_message(call, message, call->handler.state_user);
}
