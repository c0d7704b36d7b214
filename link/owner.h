/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What a connection calls in its owner: the only way up from link/. A server's functions are in server/connections.c. All
 * run on the ring's thread.
 */

#include <stdbool.h>

struct connection;
struct exchange;
struct session_events;

/* What is left to run on a call. */
enum dispatched {
        DISPATCHED_ALL, /* nothing is due now; the call may have been freed */
        DISPATCHED_SOME, /* there is more to run */
        DISPATCHED_CONGESTED, /* there is more, once the peer has taken what waits for it */
        DISPATCHED_BUSY, /* there is more, once a worker has finished another of the connection's calls */
};

struct link_owner {
        const struct session_events *events; /* their user is the connection's call_group */
        /*
         * Runs what is due on a call, up to a few events. @in_line: this is the turn's dispatch phase; if not, heavy work
         * lets the calls that wait for that phase go first.
         */
        enum dispatched (*run_call)(struct exchange *exchange, bool in_line);
        /*
         * The peer leaves what @exchange has to send waiting, or does not send what it owes, as the static @why says: the call is ended, its
         * connection goes on.
         */
        void (*give_up)(struct exchange *exchange, const char *why);
        /*
         * The peer does not speak HTTP/2 (`session.bad_preface`). A server can queue an answer with session_send_raw(), a client
         * can say what came instead; then the connection ends. @whole: the peer will send nothing more. False: too little has
         * arrived to see what it speaks.
         */
        bool (*answer_bad_preface)(struct connection *connection, bool whole);
        /* The peer does something wrong: one line for the log, without the peer's address. */
        void (*complain)(const struct connection *connection, const char *format, ...)
                __attribute__((format(printf, 2, 3)));
        /*
         * The socket is closed, and no thread works on a handshake of it. Calls may be left: they still use the connection's
         * memory.
         */
        void (*on_closed)(struct connection *connection);
        /* Nothing uses the connection any more: its memory is the owner's again. */
        void (*on_freed)(struct connection *connection);
};
