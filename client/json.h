/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * JSON (RFC 8259) as a tree, for configurations. Strict: UTF-8 only, no name twice in an object. A hostile text costs time and memory
 * in proportion to its size, which the caller limits.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <quoit/upb_names.h>

#include "upb/base/string_view.h"

struct upb_Arena;

#define JSON_DEPTH_MAX 32 /* of arrays and objects in each other */
#define JSON_MEMBERS_MAX 256 /* of one object */

enum json_type { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json {
        enum json_type type;
        bool is_true; /* BOOL */
        upb_StringView
                text; /* STRING: its bytes, which can be any of UTF-8. NUMBER: as it is written */
        upb_StringView name; /* as a member of an object */
        const struct json *first; /* ARRAY, OBJECT: what it has; NULL: nothing */
        const struct json *next; /* in the array or object that has it; NULL: it is the last */
};

/* Where a text is not JSON. */
struct json_problem {
        const char *what; /* static, without a capital letter or full stop */
        unsigned line, column; /* from 1; a column is a byte */
};

/* *@ret_json is in @arena; @text is not kept. 0; -EINVAL with *@ret_problem; -ENOMEM. */
int json_parse(upb_StringView text, struct upb_Arena *arena, const struct json **ret_json,
        struct json_problem *ret_problem);

/* The member @name of an object. NULL: it has none, or only a null. */
const struct json *json_member(const struct json *object, const char *name);

/*
 * A number times ten to the power of @decimals, at most @max, which is at most INT64_MAX; what comes behind so many decimals is dropped.
 * 0; -EINVAL: not a number; -ERANGE: it is negative, or larger.
 */
int json_decimal(const struct json *json, unsigned decimals, uint64_t max, uint64_t *ret_number);

/* The same for a whole number, which 2.0 and 1e3 are too. -EINVAL: another one. */
int json_whole(const struct json *json, uint64_t max, uint64_t *ret_number);
