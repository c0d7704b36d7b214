/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Path templates of google.api.http: "/v1/{name=shelves/STAR/books/STAR}:read".
 *
 *      Template = "/" [ Segments ] [ Verb ] ;        Variable  = "{" FieldPath [ "=" Segments ] "}" ;
 *      Segments = Segment { "/" Segment } ;          FieldPath = IDENT { "." IDENT } ;
 *      Segment  = "*" | "**" | LITERAL | Variable ;  Verb      = ":" LITERAL ;
 *
 * "*" is a segment of a path that is not empty, "**" any number of segments, also none. There is at most one "**"; unlike in
 * google.api.http other segments may follow it, as with grpc-gateway and Envoy. "/" alone is the root.
 */

#include <stdbool.h>
#include <stddef.h>

#include "upb/base/string_view.h"
#include "upb/mem/arena.h"

#define PATH_TEMPLATE_SEGMENTS_MAX 32
#define PATH_TEMPLATE_VARIABLES_MAX 16

enum path_segment_kind { PATH_LITERAL, PATH_ONE, PATH_ANY };

struct path_segment {
        enum path_segment_kind kind;
        upb_StringView literal; /* decoded */
};

struct path_variable {
        upb_StringView field_path; /* "a.b" */
        unsigned first; /* the first of its segments, ... */
        unsigned count; /* ... and how many there are */
        bool is_multiple; /* it may stand for several segments of a path: %2F in it stays %2F */
};

struct path_template {
        struct path_segment segments[PATH_TEMPLATE_SEGMENTS_MAX];
        struct path_variable variables[PATH_TEMPLATE_VARIABLES_MAX];
        unsigned segment_count;
        unsigned variable_count;
        unsigned any; /* where the "**" is; segment_count: there is none */
        upb_StringView verb; /* empty: none */
};

/*
 * Parses @text. Strings are copied into @arena. 0; -EINVAL and *@ret_problem, a static text that goes on after "the path ...:";
 * -ENOMEM.
 */
int path_template_parse(struct path_template *ret_template, upb_StringView text, upb_Arena *arena,
        const char **ret_problem);

/* Whether the same paths match both, so that nobody could say which one is meant. Variables do not count. */
bool path_template_is_same(const struct path_template *a, const struct path_template *b);

/*
 * Cuts the path @text, which begins with '/', into the segments of @template, which matches it but for its literals: they are
 * not looked at. False: it does not. In @ret_segments are as many as the template has, as they stand in @text: not decoded. What
 * "**" has is one piece with the slashes in it.
 */
bool path_template_cut(const struct path_template *template, upb_StringView text,
        upb_StringView ret_segments[PATH_TEMPLATE_SEGMENTS_MAX]);

/* The part of the path that @variable stands for, from segments that path_template_cut() has found. */
upb_StringView path_template_value(
        const struct path_variable *variable, const upb_StringView *segments);

/* Whether the @segment of a path, not decoded, is @literal. */
bool path_segment_is(upb_StringView segment, upb_StringView literal);

/*
 * Takes the first segment off the front of *@rest, which is a path without its first '/'. False: there is none. To be called with
 * the path's own beginning: *@rest of "/a/" is "a/", then "" with data, which is one more, empty segment, then NULL.
 */
bool path_next(upb_StringView *rest, upb_StringView *ret_segment);

/* Where path_next() begins. "/" has no segments. */
upb_StringView path_begin(upb_StringView path);
