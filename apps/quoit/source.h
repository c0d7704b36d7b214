/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Where a command has the schema from: files, or the server's reflection. upb's definitions come into one pool, as they are asked for: a
 * file with all that it imports. Everything belongs to the source, and lives as long as it.
 */

#include <stdbool.h>
#include <stddef.h>

#include <quoit/method.h>

#include "metadata_flags.h"
#include "schema_flags.h"
#include "strings.h"
#include "upb/reflection/def.h"

struct connection;
struct source;

/* A method, as calls take it. */
struct source_method {
        quoit_method quoit; /* made of the types' tables; it has none of a server's functions */
        const upb_MethodDef *def;
        const upb_MessageDef *request, *reply;
        bool has_extensions; /* a reply may have some: it is to be parsed with the pool's registry */
};

/*
 * Reads the files; the server is not asked yet. @connection: NULL, there is none; with the flags it must outlive the source. EXIT_DONE, or
 * an exit status, when all was said. Free it by source_free().
 */
int source_open(const struct schema_flags *flags, const struct metadata_flags *metadata,
        struct connection *connection, struct source **ret_source);

/* Takes NULL, returns NULL. */
struct source *source_free(struct source *source);

/* What is known so far. */
const upb_DefPool *source_pool(const struct source *source);

/* The services' names, sorted, those of reflection too. EXIT_DONE, or an exit status, when all was said. */
int source_services(struct source *source, const struct strings **ret_names);

/*
 * Loads the file with the symbol: a service, message, enum, extension, field, method, value. Those of google.protobuf and google.rpc are
 * always known. True: it is in the pool. False, without a word: source_problem() says why.
 */
bool source_load_symbol(struct source *source, const char *name);

/* The same with what a command wants. NULL, without a word. */
const upb_MessageDef *source_message(struct source *source, const char *name);
const upb_ServiceDef *source_service(struct source *source, const char *name);

/* Loads the extensions of @message that the server knows. */
void source_load_extensions(struct source *source, const upb_MessageDef *message);

/* Loads the files of all services. EXIT_DONE, or an exit status, when all was said. */
int source_load_all(struct source *source);

/* Why the last symbol was not found. One line. */
const char *source_problem(const struct source *source);

/*
 * The method @name: "pkg.Service/Method", "/pkg.Service/Method" or "pkg.Service.Method"; without the package where only one service has
 * that name. EXIT_DONE, or an exit status, when all was said, with the nearest name.
 */
int source_method(struct source *source, const char *name, struct source_method *ret_method);

/* The files in the pool: imports come before what imports them. */
size_t source_file_count(const struct source *source);

/* One of them, as it came: a serialized google.protobuf.FileDescriptorProto, with its comments if the source has them. */
upb_StringView source_file(const struct source *source, size_t at);
