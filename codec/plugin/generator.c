/* SPDX-License-Identifier: MIT */
#include "codec/plugin/generator.h"

#include <errno.h>
#include <string.h>

#include "codec/plugin/check.h"
#include "codec/plugin/options.h"
#include "codec/plugin/spelling.h"
#include "codec/plugin/text.h"
#include "codec/plugin/unit.h"

#include "google/protobuf/compiler/plugin.upb.h"
#include "upb/reflection/def.h"

/* upb's errors begin with one or two full names, then give the reason. */
enum { ERROR_BYTES_MAX = 1536 };

struct generator {
        upb_Arena *arena;
        upb_DefPool *pool;
        struct check *check;
        struct names *names;
        struct options options;
        const google_protobuf_compiler_CodeGeneratorRequest *request;
        google_protobuf_compiler_CodeGeneratorResponse *response;
};

static void generator_add_file(struct generator *g, const char *name, const struct printer *text)
{
        google_protobuf_compiler_CodeGeneratorResponse_File *file = memory_check(
                google_protobuf_compiler_CodeGeneratorResponse_add_file(g->response, g->arena));

        google_protobuf_compiler_CodeGeneratorResponse_File_set_name(
                file, upb_StringView_FromString(name));
        google_protobuf_compiler_CodeGeneratorResponse_File_set_content(
                file, upb_StringView_FromDataAndSize(text->data, text->size));
}

static bool generator_is_wanted(const struct generator *g, upb_StringView name)
{
        size_t n;
        const upb_StringView *wanted =
                google_protobuf_compiler_CodeGeneratorRequest_file_to_generate(g->request, &n);

        for (size_t i = 0; i < n; i++)
                if (upb_StringView_IsEqual(wanted[i], name))
                        return true;
        return false;
}

static void generator_emit(struct generator *g,
        const struct google_protobuf_FileDescriptorProto *proto, const upb_FileDef *file,
        const struct outline *outline)
{
        struct unit u = {
                .arena = g->arena,
                .names = g->names,
                .comments = comments_new(proto, g->arena),
                .proto = proto,
                .file = file,
                .outline = *outline,
                .options = &g->options,
        };

        printer_init(&u.h, g->arena);
        printer_init(&u.c, g->arena);
        unit_emit(&u);
        generator_add_file(g, spelling_output(g->arena, upb_FileDef_Name(file), ".quoit.h"), &u.h);
        generator_add_file(g, spelling_output(g->arena, upb_FileDef_Name(file), ".quoit.c"), &u.c);
}

/* Returns an error if a file to generate is not in the request, or NULL. */
static const char *generator_check_wanted(const struct generator *g)
{
        size_t n;
        const upb_StringView *wanted =
                google_protobuf_compiler_CodeGeneratorRequest_file_to_generate(g->request, &n);

        for (size_t i = 0; i < n; i++)
                if (!upb_DefPool_FindFileByNameWithSize(g->pool, wanted[i].data, wanted[i].size))
                        return memory_format(g->arena, "protoc-gen-quoit: no descriptor of '%s'",
                                text_line(g->arena, wanted[i].data, wanted[i].size));
        return NULL;
}

/* Returns an error, or NULL and upb's definitions of @proto. */
static const char *generator_add(struct generator *g,
        const struct google_protobuf_FileDescriptorProto *proto, const upb_FileDef **ret_file)
{
        upb_StringView name = google_protobuf_FileDescriptorProto_name(proto);
        const char *problem = check_file(g->check, proto), *text;
        upb_Status status;

        if (problem)
                return problem;
        upb_Status_Clear(&status);
        *ret_file = upb_DefPool_AddFile(g->pool, proto, &status);
        if (*ret_file)
                return NULL;
        text = upb_Status_ErrorMessage(&status);
        return memory_format(g->arena, "protoc-gen-quoit: %s: %s",
                text_line(g->arena, name.data, name.size),
                text_cut(g->arena, text, strcspn(text, "\n"), ERROR_BYTES_MAX));
}

/* Returns an error in @proto, or NULL. */
static const char *generator_take(
        struct generator *g, const struct google_protobuf_FileDescriptorProto *proto)
{
        const upb_FileDef *file;
        struct outline outline;
        const char *problem = generator_add(g, proto, &file), *crowded;

        if (problem)
                return problem;
        outline_init(&outline, file, g->arena);
        crowded = names_add_file(g->names, file, &outline);
        if (crowded)
                return memory_format(g->arena,
                        "protoc-gen-quoit: %s: %s: too many names are the same in C: rename some",
                        upb_FileDef_Name(file), crowded);
        if (generator_is_wanted(g, google_protobuf_FileDescriptorProto_name(proto)))
                generator_emit(g, proto, file, &outline);
        return NULL;
}

/* protoc lists a file after all of its imports. Returns an error, or NULL. */
static const char *generator_emit_all(struct generator *g)
{
        size_t n;
        const struct google_protobuf_FileDescriptorProto *const *protos =
                google_protobuf_compiler_CodeGeneratorRequest_proto_file(g->request, &n);

        for (size_t i = 0; i < n; i++) {
                const char *problem = generator_take(g, protos[i]);

                if (problem)
                        return problem;
        }
        return generator_check_wanted(g);
}

static void generator_fill(struct generator *g)
{
        const char *problem = options_parse(&g->options,
                google_protobuf_compiler_CodeGeneratorRequest_parameter(g->request), g->arena);

        g->names = names_new(g->arena, &g->options);
        google_protobuf_compiler_CodeGeneratorResponse_set_supported_features(g->response,
                google_protobuf_compiler_CodeGeneratorResponse_FEATURE_PROTO3_OPTIONAL |
                        google_protobuf_compiler_CodeGeneratorResponse_FEATURE_SUPPORTS_EDITIONS);
        google_protobuf_compiler_CodeGeneratorResponse_set_minimum_edition(
                g->response, google_protobuf_EDITION_PROTO2);
        google_protobuf_compiler_CodeGeneratorResponse_set_maximum_edition(
                g->response, google_protobuf_EDITION_2024);
        if (!problem)
                problem = generator_emit_all(g);
        if (problem) {
                google_protobuf_compiler_CodeGeneratorResponse_clear_file(g->response);
                google_protobuf_compiler_CodeGeneratorResponse_set_error(
                        g->response, upb_StringView_FromString(problem));
        }
}

int generator_run(const char *request, size_t request_size, upb_Arena *arena,
        const char **ret_response, size_t *ret_response_size)
{
        struct generator g = {
                .arena = arena,
                .request = google_protobuf_compiler_CodeGeneratorRequest_parse(
                        request, request_size, arena),
                .response = memory_check(google_protobuf_compiler_CodeGeneratorResponse_new(arena)),
                .check = check_new(arena),
        };

        if (!g.request)
                return -EBADMSG;
        g.pool = memory_check(upb_DefPool_New());
        generator_fill(&g);
        *ret_response = memory_check(google_protobuf_compiler_CodeGeneratorResponse_serialize(
                g.response, arena, ret_response_size));
        upb_DefPool_Free(g.pool);
        return 0;
}
