/* SPDX-License-Identifier: MIT */
#pragma once

/* What a connection needs from its owner: the only way up from link/. A server's is in server/connections.c. */

#include <stdbool.h>

struct connection;
struct quoit_call;
struct session_events;

/* What is left to run on a call. */
enum dispatched {
        DISPATCHED_ALL, /* nothing is due any more; the call may be freed */
        DISPATCHED_SOME, /* there is more to run */
        DISPATCHED_CONGESTED, /* there is, once the peer has taken what waits for it */
        DISPATCHED_BUSY, /* there is, once a worker is through with another of the connection's calls */
};

struct link_owner {
        const struct session_events *events; /* their user is the connection's call_group */
        /*
         * Runs what is due on @call, up to a few events. @in_line: it is the turn's time for handlers; else what is heavy lets those
         * go first that wait for that.
         */
        enum dispatched (*run_call)(struct quoit_call *call, bool in_line);
        /*
         * The peer does not speak HTTP/2 (`session.bad_preface`). An answer may be queued with session_say(); then the connection
         * ends. @whole: the peer will send nothing more. False: too little has arrived to tell what it speaks.
         */
        bool (*answer_other)(struct connection *connection, bool whole);
        /* The peer does something wrong. One line, without the peer's address, for the log. */
        void (*complain)(const struct connection *connection, const char *format, ...)
                __attribute__((format(printf, 2, 3)));
        /* The socket is closed. Calls may be left, of which the connection's memory is part. */
        void (*on_closed)(struct connection *connection);
        /* Nothing needs the connection any more: its memory is the owner's again. */
        void (*on_freed)(struct connection *connection);
};
