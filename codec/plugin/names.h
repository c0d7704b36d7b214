/* SPDX-License-Identifier: MIT */
#pragma once

#include "codec/plugin/memory.h"
#include "codec/plugin/options.h"
#include "codec/plugin/outline.h"

/*
 * The names in C of things in .proto files.
 *
 * upb's rules are used first, except for "_" in the names of packages, messages, enums and services (see spelling_ident()):
 * without such a "_", the names are the same as those of upb's own generator, if its code compiles. Then every identifier that
 * a file will define is entered into one table, in the order of the file. A thing whose name is taken, or is a word of C or
 * C++, gets `_` appended until all of its identifiers are free. The result depends only on the file, so other files get the
 * same names.
 */
struct names;

/* @options say what the names of a file begin with. */
struct names *names_new(upb_Arena *arena, const struct options *options);

/*
 * @file's imports must have been added before it. @outline is of @file. Returns NULL, or the full name of a thing that cannot
 * get a name in C, because too many things have the same name.
 */
const char *names_add_file(
        struct names *names, const upb_FileDef *file, const struct outline *outline);

/*
 * By full name: the type of a message or an enum, the constant of an enum value, the prefix of a service. For a field, an
 * extension, a oneof: the part after the prefix of its message or scope.
 */
const char *names_of(const struct names *names, const char *full_name);

/* The linker symbols, and for a file also the name for users: see spelling.h. */
const char *names_symbol(const struct names *names, const upb_FileDef *file, const char *full_name);
const char *names_file_symbol(const struct names *names, const upb_FileDef *file);
const char *names_file(const struct names *names, const upb_FileDef *file);

/* A method's member in the service's struct, and the prefix of its functions. */
const char *names_method_member(const struct names *names, const upb_MethodDef *method);
const char *names_method_prefix(const struct names *names, const upb_MethodDef *method);

/* The prefix of an extension's accessors: the message, or else the package, that it is defined in. */
const char *names_extension_scope(const struct names *names, const upb_FieldDef *extension);

/* The variable of an extension; and the same if the extension's name was @name. */
const char *names_extension_table(const struct names *names, const upb_FieldDef *extension);
const char *names_extension_table_for(
        const struct names *names, const upb_FieldDef *extension, const char *name);

/* The constant that means that @f is the set member of @o. */
const char *names_oneof_constant(
        const struct names *names, const upb_OneofDef *o, const upb_FieldDef *f);
