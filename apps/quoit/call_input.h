/* SPDX-License-Identifier: MIT */
#pragma once

/* Where the requests of a call come from: the values of -d, one after the other, each of which can be several messages. */

#include <stdbool.h>
#include <stddef.h>

#include "json_split.h"
#include "strings.h"
#include "upb/base/string_view.h"

struct input {
        const struct strings *data;
        bool is_text; /* the text format: messages are separated by the character 0x1E, as in grpcurl */
        size_t next; /* of @data */
        const char *name; /* for errors: "-d", "standard input", a file's */
        const char *text; /* what is left of this value: @size bytes */
        size_t size;
        char *owned; /* holds @text; NULL: it is @data's */
        size_t room; /* of @owned */
        bool is_all; /* no more of this value will come: else it is standard input */
        struct json_split split;
        unsigned long number; /* of the message that input_next() gave last, from 1 on */
};

/* @data must live as long as @input. */
void input_init(struct input *input, const struct strings *data, bool is_text);
void input_deinit(struct input *input);

/*
 * The next message, in *@ret_text, until the next call. 1; 0: input_read() has to bring more first; -ENODATA: there is no other; or
 * another negative errno: a file that cannot be read, as was said.
 */
int input_next(struct input *input, upb_StringView *ret_text);

/* What to poll before input_read(). */
int input_fd(const struct input *input);

/* Reads once. 0, or a negative errno, as was said. */
int input_read(struct input *input);
