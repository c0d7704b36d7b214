/* SPDX-License-Identifier: MIT */
#pragma once

#include "codec/plugin/names.h"

/*
 * The identifiers that generated code will define for a message, a field, ... @def, if its name in C
 * is @name: appended to @idents->list, which has room.
 */
struct idents {
        const struct names *names;
        upb_Arena *arena;
        const char **list;
        size_t n;
};

typedef void idents_fn(struct idents *idents, const void *def, const char *name);

/* The most that one of these appends; a oneof has one more for each of its fields. */
enum { IDENTS_MAX = 9 };

/*
 * The identifiers that the source defines for tables and thunks. They are unique for the things in the file, so in a conflict
 * the user's names are always changed.
 */
void idents_of_tables(
        struct idents *idents, const upb_FileDef *file, const struct outline *outline);
size_t idents_of_tables_max(const upb_FileDef *file, const struct outline *outline);

idents_fn idents_of_value;
idents_fn idents_of_enum;
idents_fn idents_of_message;
idents_fn idents_of_field;
idents_fn idents_of_extension;
idents_fn idents_of_oneof;
idents_fn idents_of_service;
idents_fn idents_of_method;
