/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>

/*
 * All of the file @path ("-": standard input), with a zero behind it, in *@ret_bytes, which the caller frees. 0, or a negative errno, which
 * is in errno too. @ret_size: NULL is not wanted.
 */
int file_read(const char *path, char **ret_bytes, size_t *ret_size);

/* The same of a descriptor, from where it is; it stays open. */
int file_read_all(int fd, char **ret_bytes, size_t *ret_size);
