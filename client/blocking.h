/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A call that its caller waits for, on a thread of its own. What it is made of lies on that thread's stack, and goes to the client's
 * thread by mail; while that has it, its caller sleeps. The reply goes back as bytes, and is parsed by the caller. Calls that stream are
 * in blocking_stream.c.
 */

#include <quoit/client.h>

/* What a call ends with that went wrong here. */
struct blocking_problem {
        quoit_status status;
        const char *text; /* static */
};

struct channel;
struct client;

/* The channel, or what was begun on it, is of the process that this one was forked from. */
extern const struct blocking_problem blocking_inherited;

/* A call of NULL. */
extern const struct blocking_problem blocking_no_method;

/*
 * The part of @channel where the calling thread's call begins: *@ret_part. Or why it must not wait for one: QUOIT_OK is none. @function
 * is for the log.
 */
struct blocking_problem blocking_choose(const quoit_channel *channel,
        const quoit_call_options *options, const char *function, struct channel **ret_part);

/* Why the calling thread must not wait for @client: it would wait for itself, keep a ring waiting, or nobody is there. */
struct blocking_problem blocking_may_wait(const struct client *client);

/* Of an error of client_post(). */
struct blocking_problem blocking_post_problem(int error);

/* Of an error of outcall_new(), of outcall_send(), and of quoit_message_parse_checked(). */
struct blocking_problem blocking_start_problem(int error);
struct blocking_problem blocking_send_problem(int error);
struct blocking_problem blocking_parse_problem(int error);

void blocking_fail(struct blocking_problem problem, quoit_error *ret_error);
