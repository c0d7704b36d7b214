/* SPDX-License-Identifier: MIT */
#pragma once

#include "codec/plugin/memory.h"

#include "upb/reflection/def.h"

/* From names in .proto files to identifiers and names of files. */

/*
 * The users' names of packages, messages, enums and services: "." becomes "_", as with upb, and "_" becomes "__", so that
 * `A.B_C` and `A_B.C` stay different. If a part begins or ends with "_" that would be ambiguous: see spelling.c.
 */
char *spelling_ident(upb_Arena *arena, const char *full_name);

/*
 * The value @name of an enum that is not in a message. Most values are LIKE_THIS in a package.like.this, and keep each "_": the
 * last small letter ends the package. Other values are spelled as any name.
 */
char *spelling_value(upb_Arena *arena, const char *package, const char *name);

/* The linker symbol, one-to-one: "quoit_", then "_" as "_0" and "." as "__". */
char *spelling_symbol(upb_Arena *arena, const char *full_name);

/*
 * The same for files: "quoit_file_", then "/" as "__", "_" as "_0", "." as "_1", any other character that is not a letter or
 * digit as "_2" and hex.
 */
char *spelling_file_symbol(upb_Arena *arena, const char *file_name);

/* The readable name of "foo/bar.proto": all characters but letters and digits become "_". Several files can have the same one. */
char *spelling_file(upb_Arena *arena, const char *file_name);

/* "foo/bar.proto" and ".quoit.h" to "foo/bar.quoit.h". */
char *spelling_output(upb_Arena *arena, const char *file_name, const char *suffix);

/*
 * The constant for @f of the oneof @o, which is called @name in the message @scope. A field called `case`, `oneofcases` or
 * `NOT_SET` would clash with names that every oneof has, and gets `_`.
 */
char *spelling_oneof_constant(upb_Arena *arena, const char *scope, const char *name,
        const upb_OneofDef *o, const upb_FieldDef *f);
