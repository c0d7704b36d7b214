/* SPDX-License-Identifier: MIT */
#include "source.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "google/protobuf/descriptor.upb.h"
#include "say.h"
#include "source_parts.h"

#define IMPORTS_DEPTH_MAX 200 /* of files that import one another */

int source_set_problem(struct source *source, const char *format, ...)
{
        va_list arguments;

        va_start(arguments, format);
        vsnprintf(source->problem, sizeof(source->problem), format, arguments);
        va_end(arguments);
        return -ENOENT;
}

const char *source_problem(const struct source *source)
{
        return source->problem;
}

/* ---- files ---- */

static struct source_proto *find_proto(const struct source *source, upb_StringView name)
{
        for (size_t i = 0; i < source->proto_count; i++)
                if (upb_StringView_IsEqual(
                            google_protobuf_FileDescriptorProto_name(source->protos[i].proto),
                            name))
                        return &source->protos[i];
        return NULL;
}

static int keep_proto(struct source *source, const struct source_proto *proto)
{
        struct source_proto *protos =
                reallocarray(source->protos, source->proto_count + 1, sizeof(*protos));
        size_t *linked;

        if (!protos)
                return -ENOMEM;
        source->protos = protos;
        linked = reallocarray(source->linked, source->proto_count + 1, sizeof(*linked));
        if (!linked)
                return -ENOMEM;
        source->linked = linked;
        source->protos[source->proto_count++] = *proto;
        return 0;
}

int source_add_proto(struct source *source, upb_StringView bytes, upb_StringView *ret_name)
{
        struct source_proto proto = { 0 };
        char *copy = upb_Arena_Malloc(source->arena, bytes.size + 1);

        if (!copy)
                return -ENOMEM;
        memcpy(copy, bytes.data, bytes.size);
        proto.bytes = upb_StringView_FromDataAndSize(copy, bytes.size);
        proto.proto = google_protobuf_FileDescriptorProto_parse(copy, bytes.size, source->arena);
        if (!proto.proto)
                return source_set_problem(source, "a file's descriptor is broken");
        *ret_name = google_protobuf_FileDescriptorProto_name(proto.proto);
        return find_proto(source, *ret_name) ? 0 : keep_proto(source, &proto);
}

static int link_file(struct source *source, upb_StringView name, unsigned depth);

static int link_imports(
        struct source *source, const google_protobuf_FileDescriptorProto *proto, unsigned depth)
{
        size_t count;
        const upb_StringView *imports =
                google_protobuf_FileDescriptorProto_dependency(proto, &count);
        int r = 0;

        for (size_t i = 0; r == 0 && i < count; i++)
                r = link_file(source, imports[i], depth + 1);
        return r;
}

static int add_to_pool(struct source *source, size_t at)
{
        upb_Status status;

        upb_Status_Clear(&status);
        if (!upb_DefPool_AddFile(source->pool, source->protos[at].proto, &status))
                return source_set_problem(source, "%.*s: %s",
                        (int)google_protobuf_FileDescriptorProto_name(source->protos[at].proto)
                                .size,
                        google_protobuf_FileDescriptorProto_name(source->protos[at].proto).data,
                        upb_Status_ErrorMessage(&status));
        source->linked[source->linked_count++] = at;
        return 0;
}

/* Wherever it comes from. NULL, with a problem: from nowhere. */
static struct source_proto *get_proto(struct source *source, upb_StringView name)
{
        struct source_proto *proto = find_proto(source, name);

        if (proto)
                return proto;
        if (source_asks(source))
                reflection_load_file(source, name);
        proto = find_proto(source, name);
        if (!proto && source_add_known(source, name))
                proto = find_proto(source, name);
        if (!proto && !source->problem[0])
                source_set_problem(source, "the import %.*s is missing", (int)name.size, name.data);
        return proto;
}

static int link_file(struct source *source, upb_StringView name, unsigned depth)
{
        struct source_proto *proto;
        size_t at;
        int r;

        if (upb_DefPool_FindFileByNameWithSize(source->pool, name.data, name.size))
                return 0;
        if (depth > IMPORTS_DEPTH_MAX)
                return source_set_problem(source, "files import one another too deeply");
        source->problem[0] = '\0';
        proto = get_proto(source, name);
        if (!proto)
                return -ENOENT;
        /* reflection may have linked it, or it is of a circle */
        if (proto->is_linked)
                return 0;
        proto->is_linked = true;
        at = (size_t)(proto - source->protos);
        r = link_imports(source, proto->proto, depth);
        if (r == 0)
                r = add_to_pool(source, at);
        source->protos[at].is_linked = r == 0;
        return r;
}

int source_link(struct source *source, upb_StringView name)
{
        return link_file(source, name, 0);
}

size_t source_file_count(const struct source *source)
{
        return source->linked_count;
}

upb_StringView source_file(const struct source *source, size_t at)
{
        return source->protos[source->linked[at]].bytes;
}

/* ---- symbols ---- */

const upb_DefPool *source_pool(const struct source *source)
{
        return source->pool;
}

bool source_has(const struct source *source, const char *name)
{
        return upb_DefPool_FindFileContainingSymbol(source->pool, name);
}

static bool is_known(const char *name)
{
        return !strncmp(name, "google.protobuf.", 16) || !strncmp(name, "google.rpc.", 11);
}

bool source_load_symbol(struct source *source, const char *name)
{
        if (source_has(source, name))
                return true;
        source_set_problem(source, "there is no %s", name);
        if (is_known(name))
                source_link_known(source);
        if (!source_has(source, name) && source_asks(source))
                reflection_load_symbol(source, name);
        return source_has(source, name);
}

const upb_MessageDef *source_message(struct source *source, const char *name)
{
        source_load_symbol(source, name);
        return upb_DefPool_FindMessageByName(source->pool, name);
}

const upb_ServiceDef *source_service(struct source *source, const char *name)
{
        source_load_symbol(source, name);
        return upb_DefPool_FindServiceByName(source->pool, name);
}

void source_load_extensions(struct source *source, const upb_MessageDef *message)
{
        if (upb_MessageDef_ExtensionRangeCount(message) && source_asks(source))
                reflection_load_extensions(source, upb_MessageDef_FullName(message));
}

/* ---- services ---- */

static int compare_names(const void *a, const void *b)
{
        return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Those of the files that were read. */
static int list_linked_services(struct source *source)
{
        int r = 0;

        for (size_t i = 0; i < source->linked_count; i++) {
                upb_StringView name = google_protobuf_FileDescriptorProto_name(
                        source->protos[source->linked[i]].proto);
                const upb_FileDef *file =
                        upb_DefPool_FindFileByNameWithSize(source->pool, name.data, name.size);

                for (int j = 0; r == 0 && file && j < upb_FileDef_ServiceCount(file); j++)
                        r = strings_add(&source->services,
                                upb_ServiceDef_FullName(upb_FileDef_Service(file, j)));
        }
        return r;
}

static void drop_twins(struct strings *names)
{
        size_t kept = 0;

        for (size_t i = 0; i < names->count; i++)
                if (kept == 0 || strcmp(names->at[kept - 1], names->at[i]) != 0)
                        names->at[kept++] = names->at[i];
        names->count = kept;
}

int source_services(struct source *source, const struct strings **ret_names)
{
        if (!source->has_services) {
                if (list_linked_services(source) < 0)
                        return say_failed("out of memory");
                if (source_asks(source) && reflection_load_services(source) < 0)
                        return say_failed("%s", source->problem);
                if (source->services.count)
                        qsort((void *)source->services.at, source->services.count,
                                sizeof(*source->services.at), compare_names);
                drop_twins(&source->services);
                source->has_services = true;
        }
        *ret_names = &source->services;
        return EXIT_DONE;
}

int source_load_all(struct source *source)
{
        const struct strings *names;
        int status = source_services(source, &names);

        for (size_t i = 0; status == EXIT_DONE && i < names->count; i++)
                if (!source_load_symbol(source, names->at[i]))
                        status = say_failed("%s: %s", names->at[i], source->problem);
        return status;
}

/* ---- life ---- */

int source_open(const struct schema_flags *flags, const struct metadata_flags *metadata,
        struct connection *connection, struct source **ret_source)
{
        struct source *source = calloc(1, sizeof(*source));
        int status;

        if (!source)
                return say_failed("out of memory");
        source->flags = flags;
        source->metadata = metadata;
        source->connection = connection;
        source->pool = upb_DefPool_New();
        source->arena = upb_Arena_New();
        if (!source->pool || !source->arena)
                status = say_failed("out of memory");
        else
                status = source_read_files(source);
        if (status == EXIT_DONE)
                *ret_source = source;
        else
                source_free(source);
        return status;
}

struct source *source_free(struct source *source)
{
        if (!source)
                return NULL;
        reflection_stream_free(source->reflection);
        if (source->pool)
                upb_DefPool_Free(source->pool);
        if (source->arena)
                upb_Arena_Free(source->arena);
        strings_deinit(&source->services);
        free(source->protos);
        free(source->linked);
        free(source);
        return NULL;
}
