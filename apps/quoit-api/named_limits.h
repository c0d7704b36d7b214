/* SPDX-License-Identifier: MIT */
#pragma once

#include <quoit/limits.h>

/* Sets a limit. @text is NAME=VALUE, the value of the option @what. If it is wrong, says so and ends the program. */
void limits_set(quoit_limits *limits, const char *what, const char *text);

/* Prints all limits with their comments from <quoit/limits.h>, and ends the program. */
void __attribute__((noreturn)) limits_print(void);
