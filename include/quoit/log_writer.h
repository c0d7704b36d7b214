/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Lines on their way to a file, a terminal or a pipe, which may be slower than those who write them, or take nothing at all.
 * A ring must not wait for that: a write to stderr waits for as long as its reader does not read. So lines are put into a
 * buffer, and a thread of the writer's own writes them. What does not fit is dropped and counted.
 *
 *      static quoit_log_writer *log;
 *
 *      r = quoit_log_writer_new(&(quoit_log_writer_options){ .name = "my-server" }, &log);     (stderr)
 *      r = quoit_server_new(&(quoit_server_options){ .on_log = quoit_log_writer_log, .log_user = log }, &server);
 *      ...
 *      quoit_server_free(server);
 *      log = quoit_log_writer_free(log);       (what is left is written, for a second at most)
 *
 * The same for an access log:
 *
 *      r = quoit_log_writer_new(&(quoit_log_writer_options){ .path = "access.log" }, &file);
 *      r = quoit_access_log_new(QUOIT_ACCESS_LOG_JSON, quoit_log_writer_line, file, &access_log);
 *
 * A line is written at once where the last one is some time ago; of many, what has gathered in 50 ms. Lines of up to PIPE_BUF
 * (4096) bytes are whole, whoever else writes to the same pipe. What can't be written now, as the disk is full or nobody
 * reads, is tried again; the line goes on where it was. A descriptor may be nonblocking. SIGPIPE is not raised.
 */

#include <stddef.h>

#include <quoit/export.h>
#include <quoit/server.h>

QUOIT_BEGIN_DECLS

/* A writer of lines, opaque. */
typedef struct quoit_log_writer quoit_log_writer;

/* Zero (or NULL) in a member takes the default. What they point to is copied. */
typedef struct quoit_log_writer_options {
        const char *path; /* appended to, and made if it is not there; "-" is stdout. stderr */
        const char *
                name; /* the program's: "NAME: " begins the lines that are not written as they are. None */
        /*
         * Is told, on the writer's thread, that the file can't be written, once until it can be again; and how many lines
         * were dropped. It must not wait: quoit_log_writer_free() waits for it. Without it the number alone is told, in the file, where the lines are missing.
         */
        quoit_log_fn on_problem;
        void *problem_user; /* handed to @on_problem */
} quoit_log_writer_options;

/*
 * Opens what @options (NULL: all defaults) name, and starts the thread, on which all signals are blocked. 0; a negative
 * errno of open(2), -ENXIO for a FIFO that nobody reads; -ENOMEM, -EAGAIN: there is no thread to be had.
 */
QUOIT_API int quoit_log_writer_new(
        const quoit_log_writer_options *options, quoit_log_writer **ret_writer);

/*
 * Writes what is left, waiting a second at most for whoever reads, and closes what it has opened; nobody uses it any more. Takes
 * NULL, returns NULL.
 */
QUOIT_API quoit_log_writer *quoit_log_writer_free(quoit_log_writer *writer);

/*
 * Waits until nothing is left to be written: for a program that ends without quoit_log_writer_free(), as by _exit(). 0;
 * -ETIMEDOUT: not within @timeout_ms. From any thread that may wait, a ring's may not.
 */
QUOIT_API int quoit_log_writer_flush(quoit_log_writer *writer, unsigned timeout_ms);

/*
 * From here on the lines that are not written as they are begin with the time in UTC, "2026-11-28T20:59:03.123Z ", but where
 * they go to systemd's journal, which notes it itself.
 */
QUOIT_API void quoit_log_writer_tell_time(quoit_log_writer *writer);

/*
 * The lines below: from any thread, waiting for nothing. @writer is a quoit_log_writer. Those that are not written as they are say
 * how bad they are where they go to systemd's journal ($JOURNAL_STREAM): "<3>" an error, "<4>" a warning, "<6>" all others.
 */

/* A line of @size bytes, its newline included, as it is: a quoit_access_log_fn. */
QUOIT_API void quoit_log_writer_line(void *writer, const char *line, size_t size);

/* "NAME: warning: LINE", with a newline: a quoit_log_fn. A control character in @line becomes '?'. */
QUOIT_API void quoit_log_writer_log(void *writer, quoit_log_level level, const char *line);

/* The same without a level, as by printf(3); cut to 4000 bytes. */
QUOIT_API void quoit_log_writer_printf(quoit_log_writer *writer, const char *format, ...)
        __attribute__((format(printf, 2, 3)));

/*
 * Opens its file anew, as another one has been put in its place; where that fails it goes on with the old one. The thread does
 * it, some time later.
 */
QUOIT_API void quoit_log_writer_reopen(void *writer);

QUOIT_END_DECLS
