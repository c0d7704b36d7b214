/* SPDX-License-Identifier: MIT */
#pragma once

/* Standard output, whose reader may go at any time. */

/* Writes what is in its buffer. 0; -EPIPE: the reader has gone; or another negative errno. */
int out_flush(void);

/* The same at the end of the program: the exit status, which is @status unless something was lost that somebody wanted. */
int out_end(int status);
