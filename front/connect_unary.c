/* SPDX-License-Identifier: MIT */
#include "front/connect.h"

#include <string.h>

#include "call/field_block.h"
#include "call/unknown.h"
#include "codec/status.h"
#include "front/bare.h"
#include "front/connect_error.h"
#include "front/text.h"

#define TRAILER "trailer-"

/* Adds the names of trailers among the headers to @names, one behind the other, then the fields. */
static void add_trailers(struct field_block *block, struct text *names,
        const struct quoit_call *call, const struct dialect_end *end)
{
        const struct field *first = end->trailers ? end->trailers->first : NULL;
        const char *name;

        (void)call;
        for (const struct field *field = first; field; field = field->next) {
                text_add_string(names, TRAILER);
                text_add(names, field->name, field->name_size);
        }
        name = names->data;
        for (const struct field *field = first; field && !names->failed; field = field->next) {
                size_t size = strlen(TRAILER) + field->name_size;

                if (!connect_is_details(field))
                        field_block_add(block, name, size, field->value, field->value_size);
                name += size;
        }
}

static void add_error(struct text *body, struct quoit_call *call, const struct dialect_end *end)
{
        connect_error_add(body, call, end);
}

/* A path that nobody serves is HTTP's 404, a method without a handler the 501 of its status. */
static const char *http_status_of(const struct quoit_call *call, quoit_status status)
{
        if (status == QUOIT_UNIMPLEMENTED && route_is_unknown(call->request.route))
                return "404";
        return status_to_http(status);
}

void connect_unary_end(struct quoit_call *call, const struct dialect_end *end)
{
        static const struct bare_answer answer = { .add_error = add_error,
                .add_fields = add_trailers };

        bare_end(call, &answer, http_status_of(call, end->status), end);
}

const struct dialect connect_unary = {
        .protocol = QUOIT_PROTOCOL_CONNECT,
        .is_bare = true,
        .malformed = QUOIT_INVALID_ARGUMENT,
        .encoding_field = "content-encoding",
        .accept_field = "accept-encoding",
        .begin = connect_begin,
        .receive = bare_receive,
        .receive_end = bare_receive_end,
        .seal = bare_seal,
        .end = connect_unary_end,
};
