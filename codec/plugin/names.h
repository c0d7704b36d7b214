/* SPDX-License-Identifier: MIT */
#pragma once

#include "codec/plugin/memory.h"
#include "codec/plugin/outline.h"

/*
 * What things of .proto files are called in C.
 *
 * upb's rules come first, but for "_" in the names of packages, messages, enums and services (see spelling_ident()): where those
 * have none and upb's own generator makes code that compiles, ours gives the same names. Then every identifier that a file will define is claimed in one table, in the order of
 * the file; who comes to a name that is taken, or a word of C or C++, gets `_` appended until all of
 * its identifiers are free. The result depends on the file alone, so other files agree on it.
 */
struct names;

/* @prefix: names of all files begin with it, but of those that libquoit has (shipped.h). */
struct names *names_new(upb_Arena *arena, const char *prefix);

/*
 * @file's imports must have been added before it. @outline is of @file. Returns NULL, or the full name of what can get no
 * name in C, as too many things have it.
 */
const char *names_add_file(
        struct names *names, const upb_FileDef *file, const struct outline *outline);

/*
 * By full name: the type of a message or an enum, the constant of an enum value, the prefix of a
 * service. Of a field, an extension, a oneof: what comes behind the prefix of its message or scope.
 */
const char *names_of(const struct names *names, const char *full_name);

/* What linkers see, and of a file also what users do: see spelling.h. */
const char *names_symbol(const struct names *names, const upb_FileDef *file, const char *full_name);
const char *names_file_symbol(const struct names *names, const upb_FileDef *file);
const char *names_file(const struct names *names, const upb_FileDef *file);

/* A method's member in the service's struct, and the prefix of its functions. */
const char *names_method_member(const struct names *names, const upb_MethodDef *method);
const char *names_method_prefix(const struct names *names, const upb_MethodDef *method);

/* The prefix of an extension's accessors: the message, or else the package, that it is defined in. */
const char *names_extension_scope(const struct names *names, const upb_FieldDef *extension);

/* The variable that an extension goes by; and what that would be if it was called @name. */
const char *names_extension_table(const struct names *names, const upb_FieldDef *extension);
const char *names_extension_table_for(
        const struct names *names, const upb_FieldDef *extension, const char *name);

/* The constant that says that @f is the one of @o that is set. */
const char *names_oneof_constant(
        const struct names *names, const upb_OneofDef *o, const upb_FieldDef *f);
