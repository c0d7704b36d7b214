/* SPDX-License-Identifier: MIT */
#pragma once

/* "a.b.c": a field of a message, or of one in it. */

#include <stdbool.h>

#include <quoit/schema.h>

#include "upb/base/string_view.h"
#include "upb/reflection/def.h"

#define FIELD_PATH_DEPTH_MAX 16

struct field_path {
        const upb_FieldDef *fields[FIELD_PATH_DEPTH_MAX]; /* each a field of the one before */
        unsigned count; /* at least 1 */
};

/*
 * Finds the field @text of messages of the @type: names as in the .proto file, or as in JSON. A name of JSON may have dots in
 * it. 0; -EINVAL, and @ret_problem says why: there is none, or it is in a repeated field or in a scalar.
 */
int field_path_find(struct field_path *ret_path, const upb_MessageDef *type, upb_StringView text,
        quoit_problem *ret_problem);

/* Whether @path is @outer, or a field in it. */
bool field_path_is_in(const struct field_path *path, const struct field_path *outer);

/* The field itself. */
static inline const upb_FieldDef *field_path_leaf(const struct field_path *path)
{
        return path->fields[path->count - 1];
}
