/* SPDX-License-Identifier: MIT */
#pragma once

/* What a server's program does first, says, and does last. */

#include <signal.h>
#include <stdbool.h>

#include <quoit/log_writer.h>

/* All that it says: lines on stderr, which nobody waits for. */
extern quoit_log_writer *program_log;

/*
 * First of all in main(). SIGTERM, SIGINT, SIGHUP and SIGUSR2 are blocked, on the threads to come too: they wait until
 * somebody takes them. SIGHUP and SIGINT are left alone where they are ignored already, as by nohup(1) or a shell's "&". SIGPIPE
 * is ignored. Descriptors 0 to 2 that are closed are opened on /dev/null, so that no socket gets their numbers. Then there
 * is the log, under @name. Where that can't be, it is the end of the program.
 */
void program_begin(const char *name);

/* A line of it that says how bad it is, as by printf(3). */
void __attribute__((format(printf, 2, 3))) program_say(
        quoit_log_level level, const char *format, ...);

/* Those of @signals, up to a 0, that are not left alone. */
sigset_t program_signals(const int *signals);

/* What was asked for, on stdout, and the end of the program; by the signals as they were before. */
void __attribute__((noreturn)) program_print(const char *text);

/* The end, when what was said is written. */
void __attribute__((noreturn)) program_exit(int status);

/* "error: TEXT; see NAME --help", and the end with status 2. */
void __attribute__((format(printf, 1, 2), noreturn)) program_usage_error(const char *format, ...);
