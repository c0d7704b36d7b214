/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdint.h>

enum {
        ERROR_BYTES_MAX = 128, /* of a text, with its end */
        ERROR_KINDS_MAX = 32, /* more are counted together */
};

/* What went wrong, and how often. */
struct errors {
        struct error_kind {
                char text[ERROR_BYTES_MAX];
                uint64_t count;
        } kinds[ERROR_KINDS_MAX];
        unsigned kind_count;
        uint64_t count; /* all of them */
};

void errors_add(struct errors *errors, const char *text, uint64_t count);
