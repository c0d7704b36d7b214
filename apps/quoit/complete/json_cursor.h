/* SPDX-License-Identifier: MIT */
#pragma once

/* Where somebody is who is writing JSON, and has not finished. */

#include <stddef.h>

enum { JSON_DEPTH_MAX = 32, JSON_KEY_BYTES = 128 };

enum json_place {
        JSON_ELSEWHERE, /* where a comma, a colon or an end is due, or nested too deeply */
        JSON_KEY, /* the name of a member */
        JSON_VALUE, /* a value */
};

struct json_cursor {
        enum json_place place;
        size_t begin; /* where what is being written begins, with its quote */
        /* The members that lead to the innermost object, arrays left out: @depth of them. */
        char keys[JSON_DEPTH_MAX][JSON_KEY_BYTES];
        unsigned depth;
        char key[JSON_KEY_BYTES]; /* of JSON_VALUE: the member whose value it is, or an element of it; "": of none */
};

/* Finds the place at the end of @text. What is no JSON is ELSEWHERE, or anywhere. Pure. */
void json_cursor_find(struct json_cursor *ret_cursor, const char *text);
