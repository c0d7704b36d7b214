/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A shard with one connection, without thread, io_uring and socket: the test moves the bytes, and the
 * clock stands still until the test moves it. Everything between session and handlers is real.
 */

#include "script.h"
#include "server/shard.h"

struct host {
        quoit_server *server;
        struct shard shard;
        struct session session;
        struct call_group group;
        struct list ready;
        struct output *output; /* in flight */
        struct script script;
        unsigned log_lines;
        char log_line[512]; /* the last one */
        int error;             /* of session_feed(), once */
        bool wants_output;     /* a flush was asked for since the last host_send() */
        bool in_session; /* inside nghttp2: no code of the user may run */
        unsigned ends; /* that the interceptor has seen */
        quoit_call *waiting; /* a call that the next such end finishes */
};

/* @limits as of quoit_server_options. Heap. */
struct host *host_new(const quoit_limits *limits);

/* An interceptor sees the calls from now on. */
void host_intercept(struct host *host);

/* Ends the connection, runs the handlers, and asserts that all memory was freed. */
void host_free(struct host *host);

/* Whether the connection was not closed. */
bool host_is_open(const struct host *host);

/* Bytes from the peer; nothing runs yet. Not fed any more after an error. */
void host_feed(struct host *host, const uint8_t *data, size_t size);

/* The part of a ring's turn after the completions: mails, timers, handlers. */
void host_turn(struct host *host);

/* Begins a send: frames into an output, which stays in flight until host_sent(). NULL: one is in
 * flight already, or there is nothing to send. */
struct output *host_send(struct host *host, size_t bytes_max);
void host_sent(struct host *host);

/* Moves the clock; timers run in the next turn. */
void host_sleep(struct host *host, uint64_t duration_ns);

/* The connection is closed: every call is cancelled. */
void host_close(struct host *host);
