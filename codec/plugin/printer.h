/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>

#include "codec/plugin/memory.h"

/*
 * A growing text with variables. Templates contain `$name$`, which is replaced by the value that printer_set() set last. C has
 * no `$`, so generated code needs no escaping. A name that was never set is a bug of the plugin and asserts.
 */
enum { PRINTER_VARS_MAX = 48 };

struct printer_var {
        const char *name;
        const char *value;
};

struct printer {
        upb_Arena *arena;
        char *data;
        size_t size;
        size_t capacity;
        struct printer_var vars[PRINTER_VARS_MAX];
        size_t n_vars;
};

void printer_init(struct printer *p, upb_Arena *arena);

/* @name and @value are kept, not copied: literals or memory of the arena. */
void printer_set(struct printer *p, const char *name, const char *value);
void printer_emit(struct printer *p, const char *template);

/* Emits text unchanged, also `$`. */
void printer_append(struct printer *p, const char *data, size_t size);

__attribute__((format(printf, 2, 3))) void printer_printf(
        struct printer *p, const char *format, ...);
