/* SPDX-License-Identifier: MIT */
#include "front/connect.h"

#include <string.h>

#include "codec/framing.h"
#include "front/connect_error.h"
#include "front/last_piece.h"
#include "front/text.h"

#define END_FLAG 0x02

static bool has_name_of(const struct field *field, const struct field *other)
{
        return field->name_size == other->name_size &&
               memcmp(field->name, other->name, field->name_size) == 0;
}

static bool is_seen_before(const struct fields *fields, const struct field *field)
{
        const struct field *other = fields->first;

        while (other != field && !has_name_of(other, field))
                other = other->next;
        return other != field;
}

/* "name":["value",...] */
static void add_values(struct text *text, const struct field *first)
{
        text_add_json(text, first->name, first->name_size);
        text_add_string(text, ":[");
        for (const struct field *field = first; field; field = field->next) {
                if (!has_name_of(field, first))
                        continue;
                if (field != first)
                        text_add_string(text, ",");
                text_add_json(text, field->value, field->value_size);
        }
        text_add_string(text, "]");
}

/* @before: what stands before it, if there is any. */
static void add_metadata(struct text *text, const struct fields *trailers, const char *before)
{
        const struct field *field = trailers ? trailers->first : NULL;
        bool any = false;

        for (; field; field = field->next) {
                if (connect_is_details(field) || is_seen_before(trailers, field))
                        continue;
                text_add_string(text, any ? "," : before);
                if (!any)
                        text_add_string(text, "\"metadata\":{");
                add_values(text, field);
                any = true;
        }
        if (any)
                text_add_string(text, "}");
}

/* The last frame; @text is empty. */
static void make_frame(struct text *text, struct quoit_call *call, const struct dialect_end *end)
{
        uint8_t prefix[FRAMING_PREFIX_BYTES] = { 0 };

        text_add(text, prefix, sizeof(prefix));
        text_add_string(text, "{");
        if (end->status != QUOIT_OK) {
                text_add_string(text, "\"error\":");
                connect_error_add(text, call, end);
        }
        add_metadata(text, end->trailers, end->status != QUOIT_OK ? "," : "");
        text_add_string(text, "}");
        framing_write_prefix((uint8_t *)text->data, false, (uint32_t)(text->size - sizeof(prefix)));
        text->data[0] = END_FLAG;
}

static void end_stream(struct quoit_call *call, const struct dialect_end *end)
{
        struct text frame;

        text_init(&frame);
        make_frame(&frame, call, end);
        last_piece_send(call, end, &frame);
        text_deinit(&frame);
}

const struct dialect connect_stream = {
        .protocol = QUOIT_PROTOCOL_CONNECT,
        .malformed = QUOIT_INVALID_ARGUMENT,
        .encoding_field = "connect-content-encoding",
        .accept_field = "connect-accept-encoding",
        .begin = connect_begin,
        .end = end_stream,
};
