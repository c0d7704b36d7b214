/* SPDX-License-Identifier: MIT */
#pragma once

#include "codec/plugin/memory.h"

#include "upb/reflection/def.h"

/* From names of .proto files to identifiers and files. */

/*
 * What users see of packages, messages, enums and services: "." becomes "_", as with upb, and "_" becomes "__", so that `A.B_C`
 * and `A_B.C` stay two. Where a part begins or ends with "_" that would not tell them apart: see spelling.c.
 */
char *spelling_ident(upb_Arena *arena, const char *full_name);

/*
 * The value @name of an enum that is not in a message. MOST_ARE_LIKE_THIS in a package.like.this, and keep each "_": what is before
 * the last small letter is the package. Others are spelled as any name.
 */
char *spelling_value(upb_Arena *arena, const char *package, const char *name);

/* What linkers see, one-to-one: "quoit_", then "_" as "_0" and "." as "__". */
char *spelling_symbol(upb_Arena *arena, const char *full_name);

/* The same for files: "quoit_file_", then "/" as "__", "_" as "_0", "." as "_1", what else is no letter or digit as "_2", in hex. */
char *spelling_file_symbol(upb_Arena *arena, const char *file_name);

/* "foo/bar.proto" as people would write it: everything but letters and digits becomes "_". Several files may share one. */
char *spelling_file(upb_Arena *arena, const char *file_name);

/* "foo/bar.proto" and ".quoit.h" to "foo/bar.quoit.h". */
char *spelling_output(upb_Arena *arena, const char *file_name, const char *suffix);

/*
 * The constant for @f of the oneof @o, which is called @name in the message @scope. A field called
 * `case`, `oneofcases` or `NOT_SET` would meet what every oneof has and gets `_`.
 */
char *spelling_oneof_constant(upb_Arena *arena, const char *scope, const char *name,
        const upb_OneofDef *o, const upb_FieldDef *f);
