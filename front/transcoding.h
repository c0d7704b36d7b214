/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Transcoding: a method called by the method of HTTP and the path that its option google.api.http names, with JSON. A method
 * with one answer gets it as the body. The answers of a stream are lines, {"result":...}, or events (text/event-stream) for
 * those who accept that. Errors are google.rpc.Status as JSON: with the HTTP status of their code, or, if answers were sent
 * before, as the last line, {"error":...}, or event, "error". A stream's last event is "end": a browser's EventSource would call
 * again otherwise.
 */

#include <stdbool.h>

#include "call/dialect.h"
#include "front/transcoding_router.h"
#include "front/transcoding_rule.h"

/* Of a call that is transcoded: front.state. */
struct transcoding {
        const struct transcoding_rule
                *rule; /* NULL: the path has rules, but not for this method of HTTP */
        const struct route *without; /* the call's route if no rule had met it */
        const char *target; /* the path and the query, as they were sent */
        upb_StringView path;
        const char *http_status; /* of the answer, if it is not that of the status. Static */
        bool has_events; /* its answers are events, not lines */
        char allow[]; /* if there is no rule: those methods that have one */
};

/* Looks for a rule that @target, which has the query too, meets with @http_method. GET's is HEAD's as well. NULL: none. */
const struct transcoding_rule *transcoding_find(
        const struct transcoding_router *router, upb_StringView http_method, const char *target);

/*
 * Makes @call, whose request.unknown_path is the target of @rule, a transcoded one: it has the rule's route already. Its path is
 * the method's from now on. @without: what its route was before. Without memory it is noted in the request.
 */
void transcoding_take(
        struct quoit_call *call, const struct transcoding_rule *rule, const struct route *without);

/* The same if the path has rules for other methods of HTTP only: the call is answered 405. If it has none, nothing changes. */
void transcoding_take_others(struct quoit_call *call, const struct transcoding_router *router);

/* It is no transcoded call after all: it is as if there were no rules. */
void transcoding_leave(struct quoit_call *call);

/* Whether transcoding_take() or transcoding_take_others() has taken it. */
bool transcoding_has(const struct quoit_call *call);

/* ---- what its files share ---- */

struct text;

/* Adds the status as JSON: {"code":5,"message":"...","details":[...]}. */
void transcoding_error_add(
        struct text *text, struct quoit_call *call, const struct dialect_end *end);

/* Messages by the call's rule; of a stream, as lines or events. */
extern const struct message_codec transcoding_codec;

extern const struct dialect transcoding_unary;
extern const struct dialect transcoding_stream;
extern const struct dialect transcoding_refusal; /* no rule */
