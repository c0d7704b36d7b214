/* SPDX-License-Identifier: MIT */
#pragma once

#include "upb/mem/arena.h"
#include "upb/message/value.h"
#include "upb/reflection/def.h"

/*
 * The value of a field of the type of @field, which is no message, from @text. Strings refer to @text; bytes are decoded into
 * @arena. 0; -EINVAL: it is no such value; -ENOMEM.
 */
int scalar_parse(const upb_FieldDef *field, upb_StringView text, upb_Arena *arena,
        upb_MessageValue *ret_value);
