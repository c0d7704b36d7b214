/* SPDX-License-Identifier: MIT */
#pragma once

/* Bytes that are put together piece by piece: the end of an answer. A few are on the stack. Without memory the rest is left out. */

#include <stdbool.h>
#include <stddef.h>

#define TEXT_FEW_BYTES 1024

struct text {
        char *data;
        size_t size;
        size_t capacity;
        bool failed; /* memory was short: it is not whole */
        char few[TEXT_FEW_BYTES];
};

void text_init(struct text *text);
void text_deinit(struct text *text);

void text_add(struct text *text, const void *bytes, size_t size);
void text_add_string(struct text *text, const char *string);

/*
 * Adds a string of JSON, in its quotes. Bytes that are not UTF-8 become U+FFFD. Also escaped is what has a meaning in HTML (<, >, &) or
 * ends a line in JavaScript, because a browser may show an answer.
 */
void text_add_json(struct text *text, const char *bytes, size_t size);

/* Adds base64 without padding, or with it. */
void text_add_base64(struct text *text, const void *bytes, size_t size, bool padded);
