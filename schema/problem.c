/* SPDX-License-Identifier: MIT */
#include "schema/problem.h"

#include <stdarg.h>
#include <stdio.h>

int problem_set(quoit_problem *problem, int error, const char *format, ...)
{
        va_list args;

        if (!problem)
                return error;
        va_start(args, format);
        (void)vsnprintf(problem->text, sizeof(problem->text), format, args);
        va_end(args);
        /* The text is for logs and terminals, and can contain parts of a hostile document. */
        for (char *p = problem->text; *p; p++)
                if (*p < ' ' || *p > '~')
                        *p = '?';
        return error;
}
