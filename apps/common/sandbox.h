/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * --sandbox: the program gives up what serving does not need, so that a fault in it opens less to whoever finds it. For good, and for all
 * threads.
 */

#include <stdbool.h>

#include <quoit/engine.h>

#include "option.h"

struct sandbox_options {
        bool is_wanted;
};

/* Of a struct sandbox_options. */
extern const struct option_entry sandbox_options[];

/* Where files are made after the start, each in the folder of its path. */
struct sandbox_paths {
        const char *log; /* NULL: none; "-": standard output */
        const char *const
                *sockets; /* addresses of listeners: those that begin with "unix:" are meant */
        unsigned socket_count;
        const char *admin; /* one more; NULL: none */
};

/*
 * Nothing unless @options ask for it. Then: no new programs; files can be read, but not written, except those of @paths (Landlock); no
 * system call but those that serving takes (seccomp), of io_uring only if @engine may be that; no memory that can be run as code; no new
 * privileges. Call it before the first thread that uses files, with descriptors 0 to 2 open. A kernel without Landlock: a warning, and
 * the rest holds. False: the rest failed, and the error was logged.
 */
bool sandbox_begin(const struct sandbox_options *options, quoit_engine engine,
        const struct sandbox_paths *paths);

/* It has begun. */
bool sandbox_is_on(void);
