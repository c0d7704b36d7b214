/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Fields from the text of a URL. Numbers, enums (by name or number), strings and bytes (base64 in either alphabet), as in
 * ProtoJSON but without quotes; also Timestamp, Duration, FieldMask and the wrappers. A repeated field gets one more value each
 * time, any other field the last one, as in JSON.
 */

#include <quoit/schema.h>

#include "front/field_path.h"
#include "upb/message/message.h"

/* 0; -EINVAL, and @ret_problem has why no message has such a field in a URL: it is a map, or a message without a short text. */
int binding_check(const struct field_path *path, quoit_problem *ret_problem);

/*
 * Sets the field @path of @message from @text, which is decoded and stays as long as @arena: strings refer to it. Messages on
 * the way are made if they are not there. 0; -EINVAL: @text is no such value, or as binding_check(); -ENOMEM.
 */
int binding_set(upb_Message *message, const struct field_path *path, upb_StringView text,
        const upb_DefPool *pool, upb_Arena *arena, quoit_problem *ret_problem);
