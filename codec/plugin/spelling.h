/* SPDX-License-Identifier: MIT */
#pragma once

#include "codec/plugin/memory.h"

#include "upb/reflection/def.h"

/* From names of .proto files to identifiers and files. */

/* "." becomes "_". Not one-to-one, and what upb uses for all that users see. */
char *spelling_ident(upb_Arena *arena, const char *full_name);

/* One-to-one ("_" becomes "_0", "." becomes "__"), for tables. */
char *spelling_mangle(upb_Arena *arena, const char *full_name);

/* "foo/bar.proto" as an identifier: everything but letters and digits becomes "_". */
char *spelling_file(upb_Arena *arena, const char *file_name);

/* "foo/bar.proto" and ".quoit.h" to "foo/bar.quoit.h". */
char *spelling_output(upb_Arena *arena, const char *file_name, const char *suffix);

/* The variable of the extension called @name in @scope. */
char *spelling_extension_table(upb_Arena *arena, const char *scope, const char *name);

/*
 * The constant for @f of the oneof @o, which is called @name in the message @scope. A field called
 * `case`, `oneofcases` or `NOT_SET` would meet what every oneof has and gets `_`.
 */
char *spelling_oneof_constant(upb_Arena *arena, const char *scope, const char *name,
        const upb_OneofDef *o, const upb_FieldDef *f);
