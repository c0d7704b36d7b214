/* SPDX-License-Identifier: MIT */
#pragma once

/* Messages in protobuf's text format: protobuf.dev/reference/protobuf/textformat-spec. upb prints it, and does not read it. */

#include <quoit/schema.h>

#include "source.h"
#include "upb/message/message.h"

/*
 * A new message of the type @type in @arena, from @text. 0; -EINVAL: it is not such a message, and *@ret_problem says where, with the
 * nearest name of a field; -ENOMEM.
 */
int text_parse(struct source *source, const upb_MessageDef *type, upb_StringView text,
        upb_Arena *arena, upb_Message **ret_message, quoit_problem *ret_problem);
