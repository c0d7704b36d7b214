/* SPDX-License-Identifier: MIT */
#pragma once

/* The query of a URL, a pair at a time: "a=1&b.c=x%20y" (the URL Standard's application/x-www-form-urlencoded). */

#include <stdbool.h>
#include <stddef.h>

#include "upb/base/string_view.h"

struct query_pair {
        upb_StringView name; /* as they stand in the query: not decoded */
        upb_StringView value; /* empty, if there is no '=' */
};

/*
 * Takes the next pair off the front of @query, which is without its '?'. Empty ones ("a=1&&b=2") are passed over. False: there is
 * none.
 */
bool query_next(upb_StringView *query, struct query_pair *ret_pair);

/* Cuts "/path?query" in two; the query is empty where there is none. What follows a '#' is not sent by any client, and is kept. */
void query_split(upb_StringView target, upb_StringView *ret_path, upb_StringView *ret_query);
