/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdint.h>

#include "codec/plugin/check.h"
#include "codec/plugin/text.h"

#include "upb/hash/str_table.h"

/* Shared by the parts of the check. Functions that return false have reported the error. */

typedef google_protobuf_DescriptorProto message_proto;
typedef google_protobuf_EnumDescriptorProto enum_proto;
typedef google_protobuf_FieldDescriptorProto field_proto;

/* A file. */
struct source {
        const google_protobuf_FileDescriptorProto *proto;
        struct source **imports;
        size_t n_imports;
        const struct source *seen_by; /* the last file that may refer to what is in this one, */
        struct source *next_seen; /* and the next that it sees */
};

/* Anything that has a full name. */
struct symbol {
        const struct source *source;
        const message_proto *message; /* if it is a message, */
        const message_proto *outer; /* and the message that it is nested in */
        const enum_proto *enumeration;
        bool has_field; /* a map's entry whose map has been seen */
};

struct check {
        upb_Arena *arena;
        upb_strtable sources; /* by the file's name, as all tables of files: to struct source, */
        upb_strtable outputs; /* by the names of their C files */
        upb_strtable symbols; /* by full name: to struct symbol */
        struct source *source; /* the current one */
        const char *problem;
};

/* Reports an error in @where, a full name, or in the file itself if that is NULL. Returns false. */
__attribute__((format(printf, 3, 4))) bool check_fail(
        struct check *check, const char *where, const char *format, ...);

const void *check_lookup(const upb_strtable *table, upb_StringView key);
void check_insert(struct check *check, upb_strtable *table, upb_StringView key, const void *value);

/* check_sources.c: the file's name and its imports. Makes it the current one. */
bool check_source(struct check *check, const google_protobuf_FileDescriptorProto *file);

/* check_symbols.c: the names of all that is in the file. */
bool check_symbols(struct check *check);
char *check_full_name(struct check *check, const char *scope, upb_StringView name);
/* The symbol for @type_name, the type of a @kind in @where. NULL: none. */
struct symbol *check_resolve(
        struct check *check, const char *where, const char *kind, upb_StringView type_name);

/* check_messages.c: fields, oneofs, extensions and methods, and what they refer to. */
bool check_definitions(struct check *check);

/* check_maps.c */
bool check_is_entry(const message_proto *message);
bool check_is_set(const message_proto *message); /* of proto1's kind */
bool check_entry(struct check *check, const char *where, const message_proto *entry,
        const message_proto *outer);
/* @field of @message is one of @entry. */
bool check_map(struct check *check, const char *where, const field_proto *field,
        const message_proto *message, struct symbol *entry);
