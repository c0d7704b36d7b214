/* SPDX-License-Identifier: MIT */
#pragma once

/* The log of a server (`on_log` of <quoit/server.h>) or of a client (<quoit/client.h>). <quoit/log_writer.h> writes such lines. */

#include <quoit/export.h>

QUOIT_BEGIN_DECLS

/* The severity of a log line. */
typedef enum quoit_log_level {
        QUOIT_LOG_ERROR, /* the program, or a handler, does not do what it should */
        QUOIT_LOG_WARNING, /* an operator may want to do something */
        QUOIT_LOG_INFO, /* what peers did wrong, and what became of them */
        QUOIT_LOG_DEBUG, /* what happens in good order; only clients have such lines */
} quoit_log_level;

/*
 * Takes one line, without a newline and valid during the call. Called from any thread of the server's or client's, at times from
 * several at once, and from any other thread that calls a function where it must not. No lock is held, and no frames of a peer are
 * being read or made on that thread. Of the functions of calls it may only use those for any thread, quoit_call_post() and
 * quoit_call_cancelled(), as it cannot know which thread has a call; of channels and outcalls none, but quoit_client_post() and
 * quoit_client_post_to() can be used. Must not block: the ring, and all of its peers, wait for it. A write to stderr blocks if
 * stderr is a pipe that nobody reads: use quoit_log_writer_log() of <quoit/log_writer.h>, which writes there and never waits.
 */
typedef void (*quoit_log_fn)(void *user, quoit_log_level level, const char *line);

QUOIT_END_DECLS
