/* SPDX-License-Identifier: MIT */
#pragma once

/* The begin, the log and the end of a program. */

#include <signal.h>
#include <stdbool.h>

#include <quoit/log_writer.h>

/* The program's log: lines on stderr, written without blocking. */
extern quoit_log_writer *program_log;

/*
 * Call it first in main(). SIGTERM, SIGINT, SIGHUP and SIGUSR2 are blocked, on later threads too: they stay pending until a
 * thread takes them. SIGHUP and SIGINT stay ignored if they are already, for example by nohup(1) or a shell's "&". SIGPIPE is
 * ignored. Descriptors 0 to 2 that are closed are opened on /dev/null, so that no socket gets their numbers. Then it opens the
 * log, under @name; if that fails the program ends.
 */
void program_begin(const char *name);

/* Its name. */
const char *program_get_name(void);

/* Logs a line with a level, formatted as by printf(3). */
void __attribute__((format(printf, 2, 3))) program_say(
        quoit_log_level level, const char *format, ...);

/* The set of those of @signals (a list that ends with 0) that are not ignored. */
sigset_t program_signals(const int *signals);

/* Prints the requested text on stdout and ends the program; signals are as they were before program_begin(). */
void __attribute__((noreturn)) program_print(const char *text);

/* The same with the program's name and its version, which is the library's. */
void __attribute__((noreturn)) program_print_version(void);

/* Ends the program when the log is written. */
void __attribute__((noreturn)) program_exit(int status);

/* Logs "error: TEXT; see NAME --help" and ends the program with status 2. */
void __attribute__((format(printf, 1, 2), noreturn)) program_usage_error(const char *format, ...);
