/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Bare calls: the request's body is one message and the answer's another, both without frames. Connect's unary calls and transcoded
 * ones share this. The answer's status line says how the call has ended, so all of it waits for the end.
 */

#include "call/dialect.h"

struct field_block;
struct text;

/* dialect.receive, .receive_end and .seal of such a dialect. */
int bare_receive(struct quoit_call *call, const uint8_t *data, size_t size);
int bare_receive_end(struct quoit_call *call);
int bare_seal(struct quoit_call *call, struct encoding *encoding);

/* How a dialect spells its answer. */
struct bare_answer {
        /* Adds the error to @body, empty, of which it becomes all. JSON. */
        void (*add_error)(
                struct text *body, struct quoit_call *call, const struct dialect_end *end);
        /* Adds the trailers, which are among the headers, and what else the dialect has. @names, empty, can hold names that are made. */
        void (*add_fields)(struct field_block *block, struct text *names,
                const struct quoit_call *call, const struct dialect_end *end);
};

/* For dialect.end: the answer with @http_status, a static text. */
void bare_end(struct quoit_call *call, const struct bare_answer *answer, const char *http_status,
        const struct dialect_end *end);
