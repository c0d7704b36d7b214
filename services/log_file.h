/* SPDX-License-Identifier: MIT */
#pragma once

/* Where the lines of a log go, whatever it is: a file, a terminal, a pipe, a socket. For one thread. */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* How long a write waits for room, unless it is a file on a disk. */
#define LOG_FILE_WAIT_MS 100

struct log_file {
        char *path; /* heap; NULL: the descriptor is not ours, and is not opened anew */
        int fd;
        bool is_regular; /* on a disk */
        bool is_journal; /* systemd's, which reads "<3>" before a line as how bad it is (sd-daemon(3)) */
};

/* @path: NULL is stderr, "-" stdout. 0 or a negative errno. */
int log_file_open(struct log_file *file, const char *path);

void log_file_close(struct log_file *file);

/* 1: it is another file now; 0: the same; a negative errno, and the old file is kept. */
int log_file_reopen(struct log_file *file);

/* "stderr", "stdout" or the path. */
const char *log_file_name(const struct log_file *file);

/*
 * Writes some of @lines, which begin where the last write has ended: whole lines, where they have no more than PIPE_BUF bytes.
 * How many bytes; -EAGAIN: there was no room for as long as above; another negative errno.
 */
ssize_t log_file_write(struct log_file *file, const char *lines, size_t size);
