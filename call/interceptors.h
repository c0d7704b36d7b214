/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The interceptors of a server and the events of a call that they see (quoit/interceptor.h). The list is fixed before the
 * server runs. Each sees the start of a call in turn, and can hold the call before the next one does. The dispatcher
 * (server/dispatch.c) runs them.
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

/* Shows them the start, until one holds or finishes the call. */
void interceptors_start(struct quoit_call *call);

/* Shows them a message; they can finish the call or make it fail. */
void interceptors_received(struct quoit_call *call, const quoit_message_info *info);
void interceptors_sent(struct quoit_call *call, const quoit_message_info *info);

/* The call is over; its arena is not freed yet. */
void interceptors_end(struct quoit_call *call);
