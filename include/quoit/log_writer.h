/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Writes log lines to a file, a terminal or a pipe. These can be slow, or block completely: a write to a pipe blocks as long as
 * nobody reads. A ring must not wait for that. So lines are put into a buffer, and a thread of the writer's own writes them.
 * Lines that do not fit are dropped and counted.
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
 * A line is written at once if there was none for some time; many lines are collected for 50 ms and written together. Lines of
 * up to PIPE_BUF (4096) bytes are not mixed with those of other writers to the same pipe. If the disk is full or nobody reads,
 * the write is tried again, and a line goes on where it stopped. A descriptor can be nonblocking. SIGPIPE is not raised.
 */

#include <stdbool.h>
#include <stddef.h>

#include <quoit/export.h>
#include <quoit/log.h>

QUOIT_BEGIN_DECLS

/* A writer of lines, opaque. */
typedef struct quoit_log_writer quoit_log_writer;

/* Zero (or NULL) in a member takes the default. What they point to is copied. */
typedef struct quoit_log_writer_options {
        const char *
                path; /* lines are appended; the file is made if it does not exist; "-" is stdout. stderr */
        const char *
                name; /* the program's name: "NAME: " begins all lines but those of _line() and the access log. Default: none. */
        /*
         * Is called on the writer's thread when the file cannot be written (once, until it can be written again), and with the
         * number of lines that were dropped. It must not block: quoit_log_writer_free() waits for it. Without it only the
         * number is reported, in the file, where the lines are missing.
         */
        quoit_log_fn on_problem;
        void *problem_user; /* passed to @on_problem */
} quoit_log_writer_options;

/*
 * Opens the file that @options (NULL: all defaults) name, and starts the thread, on which all signals are blocked. 0; a
 * negative errno of open(2), -ENXIO for a FIFO that nobody reads; -ENOMEM, -EAGAIN: no thread can be started.
 */
QUOIT_API int quoit_log_writer_new(
        const quoit_log_writer_options *options, quoit_log_writer **ret_writer);

/*
 * Writes what is left, waiting at most a second for the reader, and closes the file. Nothing may use @writer any more. A write that
 * does not return is left to the writer's thread 1.3 seconds after the call. It waits without a limit only for an on_problem() that
 * has not returned, so that none runs after it returns: on_problem() must not wait for the caller, nor call this. Takes NULL, returns
 * NULL.
 */
QUOIT_API quoit_log_writer *quoit_log_writer_free(quoit_log_writer *writer);

/*
 * Waits until all lines are written: for a program that ends without quoit_log_writer_free(), for example by _exit(). 0;
 * -ETIMEDOUT: not within @timeout_ms. From any thread but a ring's, which must not wait.
 */
QUOIT_API int quoit_log_writer_flush(quoit_log_writer *writer, unsigned timeout_ms);

/*
 * From here on lines begin with the time in UTC, "2026-11-28T20:59:03.123Z ", except those of quoit_log_writer_line() and those
 * that go to systemd's journal, which records the time itself.
 */
QUOIT_API void quoit_log_writer_tell_time(quoit_log_writer *writer);

/*
 * From here on lines less severe than @level are left out, except those of quoit_log_writer_line(). Those of
 * quoit_log_writer_printf() are QUOIT_LOG_INFO. At first none is. Any thread.
 */
QUOIT_API void quoit_log_writer_set_level(quoit_log_writer *writer, quoit_log_level level);

/*
 * Whether lines from here on are JSON, an object a line, except those of quoit_log_writer_line(); they are text at first:
 *
 *      {"time":"2026-11-28T20:59:03.123Z","level":"warning","program":"my-server","message":"what happened"}
 *
 * `time` is in UTC, also in the journal, where such lines have no priority. `level` is error, warning, info or debug, and info
 * for quoit_log_writer_printf(). `program` is the writer's `name`; not there if it has none. `message` is escaped as in the
 * access log: a byte that is not printable ASCII by its number. Any thread.
 */
QUOIT_API void quoit_log_writer_set_json(quoit_log_writer *writer, bool is_json);

/*
 * The functions below can be called from any thread and never wait. @writer is a quoit_log_writer. In systemd's journal
 * ($JOURNAL_STREAM) lines begin with their severity, except those of quoit_log_writer_line(): "<3>" an error, "<4>" a warning,
 * "<6>" all others.
 */

/* Writes a line of @size bytes, its newline included, unchanged: a quoit_access_log_fn. */
QUOIT_API void quoit_log_writer_line(void *writer, const char *line, size_t size);

/* Writes "NAME: warning: LINE" and a newline: a quoit_log_fn. A control character in @line becomes '?'. */
QUOIT_API void quoit_log_writer_log(void *writer, quoit_log_level level, const char *line);

/* The same without a level, formatted as by printf(3) and cut to 4000 bytes. */
QUOIT_API void quoit_log_writer_printf(quoit_log_writer *writer, const char *format, ...)
        __attribute__((format(printf, 2, 3)));

/*
 * Opens the file by its path again: for log rotation. If that fails, the old file stays in use. The writer's thread does it,
 * some time later.
 */
QUOIT_API void quoit_log_writer_reopen(void *writer);

QUOIT_END_DECLS
