/* SPDX-License-Identifier: MIT */
#include "transport/tls_problem.h"

#include <stdarg.h>
#include <stdio.h>

#include <openssl/err.h>

int tls_problem_set(struct tls_problem *problem, int error, const char *format, ...)
{
        va_list arguments;

        va_start(arguments, format);
        vsnprintf(problem->text, sizeof(problem->text), format, arguments);
        va_end(arguments);
        ERR_clear_error();
        return error;
}

const char *tls_problem_openssl(void)
{
        const char *reason = ERR_reason_error_string(ERR_peek_last_error());

        return reason ? reason : "no reason given";
}
