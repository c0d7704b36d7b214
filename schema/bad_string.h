/* SPDX-License-Identifier: MIT */
#pragma once

#include "upb/message/message.h"
#include "upb/reflection/def.h"

/*
 * The field of @message, or of one in it, with a string that is not UTF-8: of those of proto2 anything may be had. NULL: there is none, except
 * in the bytes of an Any, which are not looked into.
 */
const upb_FieldDef *bad_string_find(
        const upb_Message *message, const upb_MessageDef *type, const upb_DefPool *pool);
