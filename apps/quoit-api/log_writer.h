/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Lines on their way to a file, which may be slower than those who write: they are gathered in a buffer that a thread
 * empties ten times a second, or sooner where it fills. What does not fit is dropped, counted, and told of on stderr.
 */

#include <stddef.h>

struct log_writer;

/* Appends to @path, made if it is not there; "-" is standard output. 0, or a negative errno: it can't be opened. */
int log_writer_open(const char *path, struct log_writer **ret_writer);

/* Writes what is left, and closes. Takes NULL. */
void log_writer_close(struct log_writer *writer);

/* A line, with its newline. From any thread; does not wait for the disk. @writer: a struct log_writer. */
void log_writer_line(void *writer, const char *line, size_t size);

/* Opens its file anew: another has been put in its place. From any thread. */
void log_writer_reopen(void *writer);
