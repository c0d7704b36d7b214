/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

#include <quoit/upb.h>

/*
 * The first value of @name in @query, as a form sends it (application/x-www-form-urlencoded): "+" is a space, %XX is a byte, and a "%"
 * without two digits stands for itself. True: it is in *@ret_value, in @arena. False: there is none, or no memory.
 */
bool query_find(const char *query, const char *name, upb_Arena *arena, upb_StringView *ret_value);
