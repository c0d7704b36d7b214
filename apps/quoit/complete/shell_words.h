/* SPDX-License-Identifier: MIT */
#pragma once

/* A command line as a shell splits it. */

#include <stdbool.h>
#include <stddef.h>

enum { SHELL_WORDS_MAX = 256 };

struct shell_words {
        char *at[SHELL_WORDS_MAX]; /* @count of them, without their quotes */
        int count;
        bool is_open; /* the last one has a quote that is not closed */
};

/*
 * Splits @line by blanks, with quotes and backslashes as in sh(1); the last word is the one that the cursor is in, "" if it is behind a
 * blank, and its quotes may be open. Nothing is expanded. 0; -E2BIG: too many words; -ENOMEM. Free them by shell_words_deinit(). Pure.
 */
int shell_words_split(struct shell_words *ret_words, const char *line);
void shell_words_deinit(struct shell_words *words);
