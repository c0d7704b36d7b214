/* SPDX-License-Identifier: MIT */
#pragma once

/* What the commands share that look at a schema: list, describe, export. */

#include "connection.h"
#include "flags.h"
#include "metadata_flags.h"
#include "schema_flags.h"
#include "source.h"

/* The flags of each of them. */
struct look_flags {
        struct connection_flags connection;
        struct metadata_flags metadata;
        struct schema_flags schema;
        uint32_t time_ms; /* of all; 0: no limit */
};

/* What is of none of these: of a struct look_flags. */
extern const struct flag look_flags[];

void look_flags_deinit(struct look_flags *flags);

/* A schema, and where it is from. */
struct look {
        struct connection *connection; /* NULL: files only */
        struct source *source;
        struct words words; /* behind the target */
        const char *where; /* for errors: the target, or "the files" */
};

/*
 * Connects to the target, the first of @words, and reads files. With files, and no flag that the server is to be asked too, the target may be
 * missing: nobody connects. EXIT_DONE; or an exit status, when all was said. @look is to be closed in any case.
 */
int look_open(const struct look_flags *flags, struct words words, struct look *look);
void look_close(struct look *look);

/*
 * Finds the service @name, also without its package where one service alone has that name. EXIT_DONE, or an exit status, when all was said,
 * with the nearest name.
 */
int look_service(struct look *look, const char *name, const upb_ServiceDef **ret_service);

/* The file with the @symbol, loaded; NULL, without a word, if there is none. */
const upb_FileDef *look_file_of(struct look *look, const char *symbol);

/* The same of a file's own @name, "foo/bar.proto". */
const upb_FileDef *look_file_named(struct look *look, const char *name);

/* The one that source_file(@at) is the descriptor of. */
const upb_FileDef *look_file_at(const struct look *look, size_t at);

/* Loads all files that the user has given. EXIT_DONE, or an exit status, when all was said. */
int look_load_files(struct look *look);

/* Says that there is no @symbol, with the nearest name. EXIT_USAGE. */
int look_say_unknown(struct look *look, const char *symbol);

/* The descriptor of @file, a loaded one. It lives as long as the source. */
const google_protobuf_FileDescriptorProto *look_descriptor(
        const struct look *look, const upb_FileDef *file);
