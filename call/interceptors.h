/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The interceptors of a server and what they are told of a call (quoit/interceptor.h). The list is fixed before the
 * server runs. A call starts through them one after the other, held in between where one asks for it; the dispatcher
 * runs them (server/dispatch.c).
 */

#include <stdbool.h>
#include <stdint.h>

#include <quoit/interceptor.h>

#define INTERCEPTORS_MAX 32

struct interceptors {
        struct {
                const quoit_interceptor *functions;
                void *user;
        } list[INTERCEPTORS_MAX];
        unsigned count;
};

/* The call has interceptors, and some of them have not seen it start. */
bool interceptors_remain(const struct quoit_call *call);

/* Lets them see the start, until one holds the call, or finishes it. */
void interceptors_start(struct quoit_call *call);

/* Shows them a message; the call may be finished or failed after it. */
void interceptors_received(struct quoit_call *call, const quoit_message_info *info);
void interceptors_sent(struct quoit_call *call, const quoit_message_info *info);

/* The call is over, its arena still there. */
void interceptors_end(struct quoit_call *call);
