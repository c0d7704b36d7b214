/* SPDX-License-Identifier: MIT */
#pragma once

/* Messages of types that are known at run time only, as JSON and as text. */

#include <quoit/schema.h>

#include "source.h"
#include "upb/message/message.h"

/*
 * A new message of the type @type in @arena, from the JSON @text; @ignores_unknown: fields and enum values that are not known. 0; -EINVAL: it is not JSON, or not such a message, and *@ret_problem says
 * where, with the nearest name of a field; -ENOMEM.
 */
int message_parse_json(struct source *source, const upb_MessageDef *type, upb_StringView text,
        bool ignores_unknown, upb_Arena *arena, upb_Message **ret_message,
        quoit_problem *ret_problem);

/*
 * @message as JSON, on one line, in @arena; @options are output_json_options(). The types of its Anys are loaded where they are not known
 * yet: the server may be asked. An Any of a type that nobody knows has its bytes as "@value", in base64; @message is changed for that. 0;
 * -EINVAL and *@ret_problem: JSON cannot say it; -ENOMEM.
 */
int message_print_json(struct source *source, const upb_MessageDef *type, upb_Message *message,
        int options, upb_Arena *arena, upb_StringView *ret_text, quoit_problem *ret_problem);

/* @message in protobuf's text format. 0; -ENOMEM. */
int message_print_text(struct source *source, const upb_MessageDef *type,
        const upb_Message *message, upb_Arena *arena, upb_StringView *ret_text);
