/* SPDX-License-Identifier: MIT */
#pragma once

/* The target of a log's lines: a file, a terminal, a pipe or a socket. For one thread. */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* How long a write waits for room, unless it is a file on a disk. */
#define LOG_FILE_WAIT_MS 100

struct log_file {
        char *path; /* heap; NULL: the descriptor is not ours, and is never opened again */
        int fd;
        bool is_regular; /* on a disk */
        bool is_journal; /* systemd's, which reads "<3>" before a line as its priority (sd-daemon(3)) */
};

/* @path: NULL is stderr, "-" stdout. 0 or a negative errno. */
int log_file_open(struct log_file *file, const char *path);

void log_file_close(struct log_file *file);

/* Opens the path again. 1: it is another file now; 0: the same; or a negative errno, and the old file is kept. */
int log_file_reopen(struct log_file *file);

/* "stderr", "stdout" or the path. */
const char *log_file_name(const struct log_file *file);

/*
 * Writes some of @lines, which begin where the last write has ended: whole lines, if they have at most PIPE_BUF bytes. Returns
 * how many bytes; -EAGAIN: there was no room for the time above; or another negative errno.
 */
ssize_t log_file_write(struct log_file *file, const char *lines, size_t size);
