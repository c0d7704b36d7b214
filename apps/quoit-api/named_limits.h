/* SPDX-License-Identifier: MIT */
#pragma once

#include <quoit/limits.h>

/* Sets a limit as "NAME=VALUE" says, which is the value of the option @what; the end of the program where that is wrong. */
void limits_set(quoit_limits *limits, const char *what, const char *text);

/* All of them, with what <quoit/limits.h> says of each; and the end of the program. */
void __attribute__((noreturn)) limits_print(void);
