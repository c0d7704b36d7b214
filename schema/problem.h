/* SPDX-License-Identifier: MIT */
#pragma once

#include <quoit/schema.h>

/* Sets @problem, which can be NULL, to the formatted text as printable ASCII. Returns @error. */
__attribute__((format(printf, 3, 4))) int problem_set(
        quoit_problem *problem, int error, const char *format, ...);
