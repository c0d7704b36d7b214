/* SPDX-License-Identifier: MIT */
#pragma once

/* What the files of the source share. */

#include "connection.h"
#include "source.h"
#include "upb/mem/arena.h"

struct reflection_stream;

/* A file that has arrived. */
struct source_proto {
        upb_StringView bytes;
        const struct google_protobuf_FileDescriptorProto *proto;
        bool is_linked; /* in the pool, or on its way there */
};

struct source {
        const struct schema_flags *flags;
        const struct metadata_flags *metadata;
        struct connection *connection; /* NULL: none */
        upb_DefPool *pool;
        upb_Arena *arena;
        struct source_proto *protos; /* @proto_count of them */
        size_t proto_count;
        size_t *linked; /* those in the pool, in their order */
        size_t linked_count;
        struct strings services;
        bool has_services;
        bool has_known; /* source_known.c */
        struct reflection_stream *reflection; /* NULL: not asked yet */
        char problem[1024];
};

/* Sets source_problem(). -ENOENT. */
__attribute__((format(printf, 2, 3))) int source_set_problem(
        struct source *source, const char *format, ...);

/* Keeps a copy of a serialized FileDescriptorProto, unless one of its name is there. 0; or a negative errno, with a problem. */
int source_add_proto(struct source *source, upb_StringView bytes, upb_StringView *ret_name);

/* Puts the file @name into the pool, and what it imports before. 0; or a negative errno, with a problem. */
int source_link(struct source *source, upb_StringView name);

/* Whether the pool has any symbol of that name. */
bool source_has(const struct source *source, const char *name);

/* ---- source_files.c ---- */

/* Reads --protoset and --proto. An exit status. */
int source_read_files(struct source *source);

/* ---- source_known.c: libquoit's own files, google/protobuf/... and google/rpc/... ---- */

/* Adds the file @name. False: it is none of them. */
bool source_add_known(struct source *source, upb_StringView name);

/* Links all of them. */
void source_link_known(struct source *source);

/* ---- source_reflection.c ---- */

/* Whether the server may be asked. */
bool source_asks(const struct source *source);

/* Adds and links what the server sends for a file, or for a symbol. 0; or a negative errno, with a problem. */
int reflection_load_file(struct source *source, upb_StringView name);
int reflection_load_symbol(struct source *source, const char *name);

/* The names of its services, into @source's. 0; or a negative errno, with a problem. */
int reflection_load_services(struct source *source);

/* The extensions of the message of that name. */
void reflection_load_extensions(struct source *source, const char *name);

struct reflection_stream *reflection_stream_free(struct reflection_stream *stream);
