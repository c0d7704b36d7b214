/* SPDX-License-Identifier: MIT */
#pragma once

/* A request of HTTP as its method's message, and an answer as the body of one, by the rule that the request has met. */

#include <quoit/json.h>

#include "front/http_body.h"
#include "front/transcoding_rule.h"
#include "upb/mem/arena.h"
#include "upb/message/message.h"

struct transcoding_request {
        upb_StringView
                path; /* as it was sent, up to the '?'; transcoding_router_find() has found the rule for it */
        upb_StringView query; /* behind the '?' */
        upb_StringView body;
        upb_StringView content_type; /* of the body; empty: there is none */
};

/*
 * The message in @arena; nothing in it refers to @request. The body first, then the query, then the path: so nobody can set what
 * the path says. With QUOIT_JSON_IGNORE_UNKNOWN in @options unknown names in the body and the query are left out. 0; -EINVAL and
 * the reason in @ret_problem; -ENOMEM, also over the arena's budget.
 */
int transcoding_request_parse(const struct transcoding_rule *rule,
        const struct transcoding_request *request, const quoit_schema *schema, unsigned options,
        upb_Arena *arena, upb_Message **ret_message, quoit_problem *ret_problem);

/* The body of an answer: @message of the type rule->reply, or the field of it that the rule names. As quoit_json_print(). */
int transcoding_answer_print(const struct transcoding_rule *rule, const upb_Message *message,
        const quoit_schema *schema, unsigned options, upb_Arena *arena, upb_StringView *ret_text,
        quoit_problem *ret_problem);

/* The same where the rule's answers are no JSON, but a google.api.HttpBody (raw_reply). It refers to @message. */
struct http_body transcoding_answer_raw(
        const struct transcoding_rule *rule, const upb_Message *message);
