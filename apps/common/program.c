/* SPDX-License-Identifier: MIT */
#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <quoit/version.h>

#define USAGE_ERROR 2

quoit_log_writer *program_log;

static const char *program_name;
static sigset_t handled; /* the signals that are not ignored */
static sigset_t mask_before;
static struct sigaction pipe_before;

/* ---- signals ---- */

static bool is_ignored(int number)
{
        struct sigaction action;

        return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

static void block_signals(void)
{
        static const int numbers[] = { SIGTERM, SIGINT, SIGHUP, SIGUSR2 };

        sigemptyset(&handled);
        for (unsigned i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
                sigaddset(&handled, numbers[i]);
        if (is_ignored(SIGHUP))
                sigdelset(&handled, SIGHUP);
        if (is_ignored(SIGINT))
                sigdelset(&handled, SIGINT);
        sigprocmask(SIG_BLOCK, &handled, &mask_before);
        signal(SIGTERM, SIG_DFL); /* even if they were ignored: these are sent on purpose */
        signal(SIGUSR2, SIG_DFL);
        sigaction(SIGPIPE, &(struct sigaction){ .sa_handler = SIG_IGN }, &pipe_before);
}

sigset_t program_signals(const int *signals)
{
        sigset_t set;

        sigemptyset(&set);
        for (; *signals; signals++) {
                if (sigismember(&handled, *signals))
                        sigaddset(&set, *signals);
        }
        return set;
}

/* ---- descriptors ---- */

/* A closed one is the lowest free descriptor, so open() returns it. Writing to a closed stdout is still an error. */
static bool fill_descriptors(void)
{
        for (int fd = 0; fd <= 2; fd++) {
                if (fcntl(fd, F_GETFD) < 0 &&
                        open("/dev/null", fd == STDOUT_FILENO ? O_RDONLY : O_RDWR) < 0)
                        return false;
        }
        return true;
}

/* ---- from the beginning to the end ---- */

void program_begin(const char *name)
{
        int r;

        block_signals();
        program_name = name;
        r = fill_descriptors() ? quoit_log_writer_new(
                                         &(quoit_log_writer_options){ .name = name }, &program_log)
                               : -errno;
        if (r < 0) {
                fprintf(stderr, "%s: cannot begin: %s\n", name, strerror(-r));
                exit(EXIT_FAILURE);
        }
}

const char *program_get_name(void)
{
        return program_name;
}

void program_exit(int status)
{
        program_log = quoit_log_writer_free(program_log);
        exit(status);
}

static void say(quoit_log_level level, const char *format, va_list arguments)
{
        char text[4000];

        vsnprintf(text, sizeof(text), format, arguments);
        quoit_log_writer_log(program_log, level, text);
}

void program_say(quoit_log_level level, const char *format, ...)
{
        va_list arguments;

        va_start(arguments, format);
        say(level, format, arguments);
        va_end(arguments);
}

void program_print(const char *text)
{
        sigaction(SIGPIPE, &pipe_before, NULL);
        sigprocmask(SIG_SETMASK, &mask_before, NULL);
        if (fputs(text, stdout) == EOF || fflush(stdout) == EOF) {
                program_say(QUOIT_LOG_ERROR, "cannot write: %s", strerror(errno));
                program_exit(EXIT_FAILURE);
        }
        program_exit(EXIT_SUCCESS);
}

void program_print_version(void)
{
        char text[64];

        snprintf(text, sizeof(text), "%s %s\n", program_name, quoit_version());
        program_print(text);
}

void program_usage_error(const char *format, ...)
{
        char text[1024];
        va_list arguments;

        va_start(arguments, format);
        vsnprintf(text, sizeof(text), format, arguments);
        va_end(arguments);
        program_say(QUOIT_LOG_ERROR, "%s; see %s --help", text, program_name);
        program_exit(USAGE_ERROR);
}
