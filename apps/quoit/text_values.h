/* SPDX-License-Identifier: MIT */
#pragma once

/* The words of protobuf's text format: names, marks, and values that are no messages. */

#include <quoit/schema.h>

#include "upb/reflection/def.h"

struct text {
        const char *begin, *at, *end;
        quoit_problem *problem;
};

void text_init(struct text *text, upb_StringView view, quoit_problem *problem);

/* Sets the problem, with where it is. -EINVAL. */
__attribute__((format(printf, 2, 3))) int text_fail(struct text *text, const char *format, ...);

/* All of these skip white space and comments first. */

bool text_is_over(struct text *text);
/* Takes it if it comes next. */
bool text_accept(struct text *text, char mark);
/* Takes a comma or a semicolon. */
void text_accept_separator(struct text *text);
/* Takes a name; of size 0: there is none. */
upb_StringView text_name(struct text *text);
/* Takes what is in brackets, of which the first one is taken already, with the second one. False: it is too long, or not closed. */
bool text_bracket(struct text *text, char *name, size_t size);

/* Takes a value of @field, which is no message; strings are in @arena. 0; -EINVAL with a problem; -ENOMEM. */
int text_value(struct text *text, const upb_FieldDef *field, upb_Arena *arena,
        upb_MessageValue *ret_value);
