/* SPDX-License-Identifier: MIT */
#include "look.h"

#include <stdlib.h>
#include <string.h>

#include "nearest.h"
#include "say.h"
#include "source_parts.h"

/* ---- life ---- */

const struct flag look_flags[] = {
        { "max-time", 0, "TIME", "of all: 2s, 500ms (default: none)", flag_set_time,
                offsetof(struct look_flags, time_ms), 0 },
        { 0 },
};

void look_flags_deinit(struct look_flags *flags)
{
        metadata_flags_deinit(&flags->metadata);
        schema_flags_deinit(&flags->schema);
}

/* A word that is no name of anything in a schema. */
static bool is_target(const char *word)
{
        return strchr(word, ':') != NULL;
}

int look_open(const struct look_flags *flags, struct words words, struct look *look)
{
        bool has_files = flags->schema.protos.count || flags->schema.protosets.count;
        bool asks = !has_files || flags->schema.reflection == REFLECTION_ON;
        bool has_target = words.count > 0 && (asks || is_target(words.at[0]));
        int status = EXIT_DONE;

        *look = (struct look){ .words = words, .where = has_target ? words.at[0] : "the files" };
        if (asks && !has_target)
                return say_usage("a target is missing: write HOST:PORT, or --protoset FILE");
        if (has_target) {
                look->words.at++;
                look->words.count--;
        }
        if (asks)
                status = connection_open(&flags->connection, words.at[0], &look->connection);
        if (status == EXIT_DONE && look->connection && flags->time_ms)
                look->connection->due_ns =
                        look->connection->begun_ns + (uint64_t)flags->time_ms * 1000000;
        if (status == EXIT_DONE)
                status = source_open(
                        &flags->schema, &flags->metadata, look->connection, &look->source);
        return status;
}

void look_close(struct look *look)
{
        look->source = source_free(look->source);
        look->connection = connection_close(look->connection);
}

/* ---- services ---- */

static bool ends_with_name(const char *full, const char *name)
{
        size_t size = strlen(full), name_size = strlen(name);

        return size > name_size && full[size - name_size - 1] == '.' &&
               !strcmp(full + size - name_size, name);
}

/* The one service that is called @name without its package. */
static const char *find_by_end(const struct strings *names, const char *name)
{
        const char *found = NULL;

        for (size_t i = 0; i < names->count; i++) {
                if (!ends_with_name(names->at[i], name))
                        continue;
                if (found)
                        return NULL;
                found = names->at[i];
        }
        return found;
}

int look_service(struct look *look, const char *name, const upb_ServiceDef **ret_service)
{
        const struct strings *names;
        const char *full;
        int status;

        *ret_service = source_service(look->source, name);
        if (*ret_service)
                return EXIT_DONE;
        status = source_services(look->source, &names);
        if (status != EXIT_DONE)
                return status;
        full = find_by_end(names, name);
        *ret_service = full ? source_service(look->source, full) : NULL;
        return *ret_service ? EXIT_DONE : look_say_unknown(look, name);
}

/* ---- symbols ---- */

/* The service of which @symbol is a method. */
static const upb_ServiceDef *service_of(struct look *look, const char *symbol)
{
        const char *dot = strrchr(symbol, '.');
        char *name = dot ? strndup(symbol, (size_t)(dot - symbol)) : NULL;
        const upb_ServiceDef *service = name ? source_service(look->source, name) : NULL;

        free(name);
        return service && upb_ServiceDef_FindMethodByName(service, dot + 1) ? service : NULL;
}

const upb_FileDef *look_file_of(struct look *look, const char *symbol)
{
        const upb_FileDef *file = NULL;
        const upb_ServiceDef *service;

        if (source_load_symbol(look->source, symbol))
                file = upb_DefPool_FindFileContainingSymbol(source_pool(look->source), symbol);
        if (file)
                return file;
        service = service_of(look, symbol);
        return service ? upb_ServiceDef_File(service) : NULL;
}

const upb_FileDef *look_file_named(struct look *look, const char *name)
{
        const upb_FileDef *file = upb_DefPool_FindFileByName(source_pool(look->source), name);

        if (!file && source_link(look->source, upb_StringView_FromString(name)) == 0)
                file = upb_DefPool_FindFileByName(source_pool(look->source), name);
        return file;
}

const upb_FileDef *look_file_at(const struct look *look, size_t at)
{
        const struct source *source = look->source;
        upb_StringView name =
                google_protobuf_FileDescriptorProto_name(source->protos[source->linked[at]].proto);

        return upb_DefPool_FindFileByNameWithSize(source->pool, name.data, name.size);
}

int look_load_files(struct look *look)
{
        struct source *source = look->source;

        for (size_t i = 0; i < source->proto_count; i++)
                if (source_link(source,
                            google_protobuf_FileDescriptorProto_name(source->protos[i].proto)) < 0)
                        return say_failed("%s", source_problem(source));
        return EXIT_DONE;
}

static void try_message(struct nearest *nearest, const upb_MessageDef *message)
{
        nearest_try(nearest, upb_MessageDef_FullName(message));
        for (int i = 0; i < upb_MessageDef_FieldCount(message); i++)
                nearest_try(nearest, upb_FieldDef_FullName(upb_MessageDef_Field(message, i)));
        for (int i = 0; i < upb_MessageDef_NestedEnumCount(message); i++)
                nearest_try(nearest, upb_EnumDef_FullName(upb_MessageDef_NestedEnum(message, i)));
        for (int i = 0; i < upb_MessageDef_NestedMessageCount(message); i++)
                try_message(nearest, upb_MessageDef_NestedMessage(message, i));
}

static void try_service(struct nearest *nearest, const upb_ServiceDef *service)
{
        nearest_try(nearest, upb_ServiceDef_FullName(service));
        for (int i = 0; i < upb_ServiceDef_MethodCount(service); i++)
                nearest_try(nearest, upb_MethodDef_FullName(upb_ServiceDef_Method(service, i)));
}

static void try_file(struct nearest *nearest, const upb_FileDef *file)
{
        nearest_try(nearest, upb_FileDef_Name(file));
        for (int i = 0; i < upb_FileDef_ServiceCount(file); i++)
                try_service(nearest, upb_FileDef_Service(file, i));
        for (int i = 0; i < upb_FileDef_TopLevelMessageCount(file); i++)
                try_message(nearest, upb_FileDef_TopLevelMessage(file, i));
        for (int i = 0; i < upb_FileDef_TopLevelEnumCount(file); i++)
                nearest_try(nearest, upb_EnumDef_FullName(upb_FileDef_TopLevelEnum(file, i)));
        for (int i = 0; i < upb_FileDef_TopLevelExtensionCount(file); i++)
                nearest_try(nearest, upb_FieldDef_FullName(upb_FileDef_TopLevelExtension(file, i)));
}

int look_say_unknown(struct look *look, const char *symbol)
{
        char hint[NEAREST_HINT_BYTES];
        struct nearest nearest;
        int status = source_load_all(look->source);

        nearest_init(&nearest, symbol);
        for (size_t i = 0; i < source_file_count(look->source); i++) {
                const upb_FileDef *file = look_file_at(look, i);

                if (file && strncmp(upb_FileDef_Name(file), "google/", 7) != 0)
                        try_file(&nearest, file);
        }
        if (status != EXIT_DONE)
                return status;
        return say_usage("no %s at %s%s", symbol, look->where, nearest_hint(&nearest, hint));
}

const google_protobuf_FileDescriptorProto *look_descriptor(
        const struct look *look, const upb_FileDef *file)
{
        const struct source *source = look->source;
        upb_StringView name = upb_StringView_FromString(upb_FileDef_Name(file));

        for (size_t i = 0; i < source->proto_count; i++)
                if (upb_StringView_IsEqual(
                            google_protobuf_FileDescriptorProto_name(source->protos[i].proto),
                            name))
                        return source->protos[i].proto;
        return NULL;
}
