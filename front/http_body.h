/* SPDX-License-Identifier: MIT */
#pragma once

/* google.api.HttpBody: a message that stands for a body of HTTP as it is, of any media type, in place of JSON. */

#include <stdbool.h>

#include "upb/base/string_view.h"
#include "upb/mem/arena.h"
#include "upb/message/message.h"
#include "upb/reflection/def.h"

struct http_body {
        upb_StringView content_type; /* may be empty */
        upb_StringView data;
};

/* Whether @type is it, by its name and its fields. */
bool http_body_is(const upb_MessageDef *type);

/* Copies of @body become the fields of @message, of that type. 0, -ENOMEM. */
int http_body_set(upb_Message *message, const upb_MessageDef *type, const struct http_body *body,
        upb_Arena *arena);

/* What refers to @message, of that type. */
struct http_body http_body_of(const upb_Message *message, const upb_MessageDef *type);
