/* SPDX-License-Identifier: MIT */
#pragma once

/* Small texts of /proc and /sys: how they are read, and what is in them. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The file's text, at most @size - 1 bytes of it, with a zero behind; @text then. NULL: it cannot be read, errno has why. Trailing
 * newlines are cut.
 */
const char *proc_read(const char *path, char *text, size_t size);

/* The number that @text begins with, behind blanks. False: there is none, or @text is NULL. Pure. */
bool proc_number(const char *text, uint64_t *ret_number);

/* What is behind "@key" at the begin of a line, behind blanks; it goes on to the end of @text. NULL: no line has it. Pure. */
const char *proc_field(const char *text, const char *key);
