/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the files of a call share: call_send.c has what goes out, call_receive.c what comes in, call_run.c the loop of both; call_http1.c
 * is a call over HTTP/1.1.
 */

#include <signal.h>

#include "call_input.h"
#include "call_options.h"
#include "call_report.h"
#include "connection.h"
#include "source.h"
#include "upb/mem/arena.h"

struct received; /* call_receive.c */

/* One call, from its first request to its last reply. */
struct talk {
        const struct call_options *options;
        struct connection *connection;
        struct source *source;
        const struct source_method *method;
        struct input input;
        struct report report;
        struct outcome outcome;
        quoit_outcall *call; /* NULL: it is over */
        upb_Arena *arena; /* of what the outcome has */
        struct received *first, **last;
        int signals; /* signalfd(2); -1: the call has not begun */
        sigset_t signals_before;
        bool has_headers, has_shown_headers;
        bool is_half_closed;
        bool has_lost_stdout; /* its reader has gone */
        bool is_done;
        int status; /* EXIT_DONE, or what else went wrong */
};

/* Whether the method's requests, or its replies, are a stream. */
static inline bool talk_sends_many(const struct talk *talk)
{
        return talk->method->quoit.kind == QUOIT_CLIENT_STREAMING ||
               talk->method->quoit.kind == QUOIT_BIDI;
}

static inline bool talk_receives_many(const struct talk *talk)
{
        return talk->method->quoit.kind == QUOIT_SERVER_STREAMING ||
               talk->method->quoit.kind == QUOIT_BIDI;
}

/* Cancels the call, if it is not over; @status is the program's, if it is cancelled by that. */
void talk_give_up(struct talk *talk, int status);

/* From here on a signal cancels the call; before it ends the program. */
void talk_open_signals(struct talk *talk);

/* Says that the flags have metadata that cannot be sent. An exit status. */
int talk_refuse_metadata(void);

/* ---- call_http1.c ---- */

/* All of the call, of a connection that has a way of HTTP/1.1. An exit status, if it was not made. */
int talk_by_http1(struct talk *talk);

/* ---- out ---- */

/*
 * The one request of a method that takes one: all of -d is read first. An exit status, and *@ret_message, in @arena; a mistake has been
 * said.
 */
int talk_read_one(struct talk *talk, upb_Arena *arena, upb_Message **ret_message);

/* The next of a stream, for which is waited; *@ret_message is left alone if there is none. */
int talk_read_next(struct talk *talk, upb_Arena *arena, upb_Message **ret_message);

/* Sends it. An exit status. */
int talk_send(struct talk *talk, const upb_Message *message);

/* Sends as much as there is, and as there is room for, and gives up where that is wrong. True: input_read() has to bring more. */
bool talk_send_some(struct talk *talk);

/* ---- in ---- */

/* Hears of a call whose user is a struct talk. */
extern const quoit_outcall_handler talk_handler;

/* Lets replies come, of a call that has begun. */
void talk_receive(struct talk *talk);

/* A reply in @arena, which is taken over, waits to be printed. NULL, either: memory is short. */
void talk_take(struct talk *talk, upb_Message *message, upb_Arena *arena);

/* Prints what has come. */
void talk_show(struct talk *talk);
