/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdlib.h>
#include <string.h>

#include "client/service_config.h"

/* Single quotes stand for double ones. @ret_problem: of SERVICE_CONFIG_PROBLEM_BYTES. */
static inline int read_config(
        const char *text, struct service_config **ret_config, char *ret_problem)
{
        char *copy = strdup(text);
        int r;

        for (char *c = copy; *c; c++)
                *c = *c == '\'' ? '"' : *c;
        r = service_config_new(upb_StringView_FromString(copy), ret_config, ret_problem);
        free(copy);
        return r;
}
