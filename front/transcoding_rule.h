/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One google.api.http rule of a method: which requests of HTTP call it, and how they become its message. Made before the server
 * runs, then read by all rings.
 */

#include <stdbool.h>

#include "front/field_path.h"
#include "front/http_rule.h"
#include "front/path_template.h"
#include "upb/reflection/def.h"

struct route;

struct transcoding_rule {
        const struct route *route; /* the method's */
        upb_StringView http_method; /* "GET"; "*": any */
        struct path_template path;
        struct field_path *variables; /* the fields that path.variables set */
        const upb_MessageDef *request;
        const upb_MessageDef *reply;
        bool has_body; /* the request's body is JSON, ... */
        const upb_FieldDef *body; /* ... of this field; NULL: of all the message */
        const upb_FieldDef
                *response_body; /* the answer's body is this field; NULL: all the message */
        const upb_MessageDef *raw_request; /* the body is no JSON but this, a google.api.HttpBody */
        const upb_MessageDef *raw_reply; /* NULL: it is JSON */
        struct transcoding_rule *next; /* the router's */
};

/*
 * Makes a rule of @route in @arena, which must outlive it, as the definitions must. 0 and *@ret_rule; -EINVAL: what is wrong
 * with it is in @ret_problem, in a sentence that names the rule; -ENOMEM. Strings of @http_rule are not kept.
 */
int transcoding_rule_new(const struct http_rule *http_rule, const struct route *route,
        const upb_MessageDef *request, const upb_MessageDef *reply, upb_Arena *arena,
        struct transcoding_rule **ret_rule, quoit_problem *ret_problem);

/* Whether @path is set by the URL's path or by the body, so that a query may not set it. */
bool transcoding_rule_covers(const struct transcoding_rule *rule, const struct field_path *path);
