/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * From a method of HTTP and a path to the rule that they meet. Where several do, the more exact one counts: that with a ":verb",
 * then, from the first segment on, a literal before "*" before "**". Filled before the server runs, then read by all rings. It
 * does not own the rules.
 */

#include <stdbool.h>
#include <stddef.h>

#include "upb/base/string_view.h"
#include "upb/mem/arena.h"

struct transcoding_node;
struct transcoding_rule;
struct transcoding_verb;

struct transcoding_router {
        struct transcoding_node *root; /* a tree of segments; NULL: no rules */
        struct transcoding_verb *verbs; /* that occur, the longest first */
};

/*
 * Adds @rule, with what that takes in @arena. 0; -EEXIST and *@ret_other: the same requests meet that rule; -ENOMEM. Zeroed
 * memory is an empty router.
 */
int transcoding_router_add(struct transcoding_router *router, struct transcoding_rule *rule,
        upb_Arena *arena, const struct transcoding_rule **ret_other);

/* NULL: none. @path begins with '/' and has no query. */
const struct transcoding_rule *transcoding_router_find(
        const struct transcoding_router *router, upb_StringView http_method, upb_StringView path);

/* Room for the names of the standard methods, and some others. */
#define TRANSCODING_ALLOW_BYTES 128

/*
 * Which methods of HTTP the rules have that @path meets, "GET, POST" (RFC 9110, section 10.2.1), with a zero. Returns the text's
 * length; 0: no rule has that path. Names that have no room are left out.
 */
size_t transcoding_router_allow(const struct transcoding_router *router, upb_StringView path,
        char ret_methods[TRANSCODING_ALLOW_BYTES]);
