/* SPDX-License-Identifier: MIT */
#include "bench/load/errors.h"

#include <stdio.h>
#include <string.h>

void errors_add(struct errors *errors, const char *text, uint64_t count)
{
        struct error_kind *kind = errors->kinds;

        errors->count += count;
        while (kind < errors->kinds + errors->kind_count && strcmp(kind->text, text) != 0)
                kind++;
        if (kind == errors->kinds + ERROR_KINDS_MAX) {
                kind--;
                snprintf(kind->text, sizeof(kind->text), "other errors");
        } else if (kind == errors->kinds + errors->kind_count) {
                snprintf(kind->text, sizeof(kind->text), "%s", text);
                kind->count = 0;
                errors->kind_count++;
        }
        kind->count += count;
}
