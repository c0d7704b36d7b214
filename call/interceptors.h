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

struct attachment;

/* A call's part, of use only where there are interceptors. Each side's members are its own, as in struct quoit_call. */
struct seen {
        /* ---- the ring's side ---- */
        unsigned starts; /* how many have seen the call start */
        quoit_status outcome; /* once it is FINISHED or CANCELLED */
        uint64_t opened_ns; /* the headers had come; 0: not yet */
        const char *http_status; /* of an answer that is no gRPC; NULL: there was none */

        /* ---- the handler's side ---- */
        uint64_t handled_ns; /* the handler was called; 0: it was not */
        struct attachment *attachments;
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
