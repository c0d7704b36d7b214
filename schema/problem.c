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
        /* It goes into logs and terminals, and a document's author has a say in it. */
        for (char *p = problem->text; *p; p++)
                if (*p < ' ' || *p > '~')
                        *p = '?';
        return error;
}
