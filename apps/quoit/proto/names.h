/* SPDX-License-Identifier: MIT */
#pragma once

#include "printer.h"

/*
 * The shortest name for the type @full_name (as descriptors have it, with a dot before it) that means it in @scope: without its package, or
 * with all of it. Remembers that the text
 * needs the type's file.
 */
const char *names_of_type(struct printer *p, const char *scope, upb_StringView full_name);

/* For the name of a custom option, in parentheses: always the full name. */
const char *names_of_option(struct printer *p, const char *scope, const upb_FieldDef *extension);
