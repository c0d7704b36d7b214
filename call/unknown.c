/* SPDX-License-Identifier: MIT */
#include "call/unknown.h"

/* @what is not known. */
static void *refuse_unknown(const void *what, quoit_call *call, void *user)
{
        (void)user;
        quoit_call_finishf(call, QUOIT_UNIMPLEMENTED, "unknown %s: %s", (const char *)what,
                quoit_call_path(call));
        return NULL;
}

static void do_nothing(const void *implementation, quoit_call *call, void *state)
{
        (void)implementation;
        (void)call;
        (void)state;
}

/* Of a kind whose handler starts before any message arrives. */
static const quoit_method unknown_method = {
        .path = "",
        .kind = QUOIT_BIDI,
        .on_start = refuse_unknown,
        .on_done = do_nothing,
};
const struct route unknown_service_route = { .method = &unknown_method,
        .implementation = "service" };
const struct route unknown_method_route = { .method = &unknown_method, .implementation = "method" };
