/* SPDX-License-Identifier: MIT */
#include "call/unknown.h"

static void *refuse_unknown(const void *implementation, quoit_call *call, void *user)
{
        (void)implementation;
        (void)user;
        quoit_call_finishf(
                call, QUOIT_UNIMPLEMENTED, "unknown service or method: %s", quoit_call_path(call));
        return NULL;
}

static void do_nothing(const void *implementation, quoit_call *call, void *state)
{
        (void)implementation;
        (void)call;
        (void)state;
}

/* Of the kind that is answered before anything has come. */
static const quoit_method unknown_method = {
        .path = "",
        .kind = QUOIT_BIDI,
        .on_start = refuse_unknown,
        .on_done = do_nothing,
};
const struct route unknown_route = { .method = &unknown_method };
