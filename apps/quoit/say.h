/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Errors, one line each on stderr: "quoit: WHAT: WHERE; what to do". What a peer has put into it cannot move the terminal's cursor:
 * control characters become "?".
 */

#include "exit_status.h"
#include "upb/base/string_view.h"

__attribute__((format(printf, 1, 2))) void say(const char *format, ...);

/* The same, and returns EXIT_FAILED. */
__attribute__((format(printf, 1, 2))) int say_failed(const char *format, ...);

/* The same, and returns EXIT_USAGE. */
__attribute__((format(printf, 1, 2))) int say_usage(const char *format, ...);

/* A value of metadata on stderr, without a line break: base64 if the @name ends in "-bin". */
void say_value(const char *name, upb_StringView value);
