/* SPDX-License-Identifier: MIT */
#pragma once

/* How two messages of one type differ, field by field. */

#include <stdbool.h>

#include "../strings.h"
#include "upb/message/message.h"
#include "upb/reflection/def.h"

/* A difference: @path is "a.b[2].c" or "a.m[key]", @was and @is are values as JSON has them, or "nothing". */
typedef void fields_differ(void *user, const char *path, const char *was, const char *is);

/*
 * Calls @fn for each field of @was and @is that differs, but for those whose names are in @ignored: "a.b" is the field b of what is in a, in
 * each element of a list or map too. Returns how many there were. Fields that @type does not know are compared as bytes, together.
 */
size_t fields_compare(const upb_MessageDef *type, const upb_Message *was, const upb_Message *is,
        const struct strings *ignored, fields_differ *fn, void *user);
