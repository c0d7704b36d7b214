/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * An event of a call and how it is run: its data are taken out of the call on the ring, its user code runs there or on a worker,
 * and on the ring again what follows from it is settled.
 */

#include <stdbool.h>
#include <stddef.h>

#include "call/reader.h"
#include "core/mailbox.h"
#include "link/workers.h"

struct call_post;
struct quoit_call;
struct quoit_server;

enum event {
        EVENT_NONE,
        EVENT_INTERCEPT,  /* interceptors have not seen its start */
        EVENT_START,      /* the request is complete, or it is one of many messages */
        EVENT_POST,       /* a function was posted */
        EVENT_MESSAGE,    /* one of many requests */
        EVENT_HALF_CLOSE, /* there are no more request messages */
        EVENT_WRITABLE,   /* the queue has room again */
        EVENT_CANCEL,     /* it was cancelled, and the handler wants to know at once */
        EVENT_DONE,       /* it is over: the last one */
};

/* An event and its data, on their way through a worker if the call is offloaded. */
struct errand {
        struct quoit_call *call;
        enum event event;
        struct reader_message message; /* of START and MESSAGE */
        size_t parsed_bytes; /* what decoding took, beside the message's bytes */
        struct call_post *post;         /* of POST */
        struct quoit_server *server;
        struct work work;
        struct mail mail;
};

/* Takes the event's data out of the call, and notes that the event has happened. On the ring. */
void errand_take(struct quoit_call *call, enum event event, struct errand *errand);

/* Runs user code, on the ring or on a worker. */
void errand_run(struct errand *errand);

/*
 * A handler has run on the ring. Since the last look at the clock, or the turn's begin, nothing else has taken long: whatever can
 * looks at the clock behind it (call_host_look()). So one look a handler is enough.
 */
void errand_watch_time(const struct errand *errand);

/* After an event, on the ring again. Can free the call. */
void errand_settle(const struct errand *errand);
