/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../common/clock.h"
#include "connection_http1.h"
#include "grpc/reflection/v1/reflection.quoit.h"
#include "say.h"
#include "source_parts.h"

#define ANSWER_MS 20000 /* one answer; above: it has failed */
#define EXTENSIONS_MAX 1000 /* of one message */

/* grpc.reflection.v1.ServerReflection, or the same under its older name; see grpc's doc/server-reflection.md. One stream for all. */
struct reflection_stream {
        struct source *source;
        quoit_method method;
        bool is_alpha;
        quoit_outcall *call; /* NULL: none, or it is over */
        upb_Arena *arena; /* of @answer, while it is waited for */
        const grpc_reflection_v1_ServerReflectionResponse *answer;
        bool is_answered; /* an answer, or the end of the call */
        bool has_answered; /* ever, on this call */
        quoit_status status;
        quoit_error error;
};

bool source_asks(const struct source *source)
{
        const struct schema_flags *flags = source->flags;

        if (!source->connection || flags->reflection == REFLECTION_OFF)
                return false;
        return flags->reflection != REFLECTION_AUTO ||
               (!flags->protos.count && !flags->protosets.count);
}

/* ---- the stream ---- */

static void on_message(quoit_outcall *call, const struct upb_Message *message, void *user)
{
        struct reflection_stream *stream = user;

        (void)call;
        if (!stream->arena || stream->is_answered)
                return;
        stream->answer =
                (const void *)upb_Message_DeepClone(message, stream->method.reply, stream->arena);
        stream->has_answered = stream->is_answered = true;
}

static void on_done(quoit_outcall *call, quoit_status status, void *user)
{
        struct reflection_stream *stream = user;

        stream->call = NULL;
        stream->status = status;
        stream->is_answered = true;
        quoit_outcall_get_error(call, &stream->error);
}

static void choose_method(struct reflection_stream *stream)
{
        stream->method = *quoit_service_method(
                &quoit_grpc__reflection__v1__ServerReflection_service, "ServerReflectionInfo");
        if (stream->is_alpha)
                stream->method.path =
                        "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo";
}

static int begin(struct reflection_stream *stream)
{
        static const quoit_outcall_handler handler = { .on_message = on_message,
                .on_done = on_done };
        upb_Arena *arena = upb_Arena_New();
        struct metadata metadata;
        int r = -ENOMEM;

        if (!arena)
                return r;
        stream->has_answered = false;
        choose_method(stream);
        r = -EINVAL;
        if (metadata_make(stream->source->metadata, true, arena, &metadata) == EXIT_DONE)
                r = quoit_outcall_start(stream->source->connection->channel, &stream->method,
                        &(quoit_call_options){
                                .metadata = metadata.list, .metadata_count = metadata.count },
                        &handler, stream, &stream->call);
        upb_Arena_Free(arena);
        return r;
}

struct reflection_stream *reflection_stream_free(struct reflection_stream *stream)
{
        if (!stream)
                return NULL;
        if (stream->call) {
                quoit_outcall_cancel(stream->call);
                stream->is_answered = false;
                connection_wait(stream->source->connection, &stream->is_answered);
        }
        free(stream);
        return NULL;
}

static struct reflection_stream *get_stream(struct source *source)
{
        struct reflection_stream *stream = source->reflection;

        if (stream)
                return stream;
        stream = calloc(1, sizeof(*stream));
        if (!stream)
                return NULL;
        stream->source = source;
        stream->is_alpha = source->flags->reflection == REFLECTION_V1ALPHA;
        source->reflection = stream;
        return stream;
}

static uint64_t answer_due_ns(const struct reflection_stream *stream)
{
        uint64_t due_ns = clock_now_ns() + (uint64_t)ANSWER_MS * 1000000;
        uint64_t most_ns = stream->source->connection->due_ns;

        return due_ns < most_ns ? due_ns : most_ns;
}

static int wait_for_answer(struct reflection_stream *stream)
{
        uint64_t due_ns = answer_due_ns(stream);
        int r = 0;

        while (r == 0 && !stream->is_answered) {
                uint64_t now_ns = clock_now_ns();

                if (now_ns >= due_ns)
                        return -ETIMEDOUT;
                r = connection_turn(stream->source->connection, NULL, 0,
                        (int)((due_ns - now_ns) / 1000000) + 1);
        }
        return r;
}

static void on_http1_reply(const struct upb_Message *message, void *user)
{
        on_message(NULL, message, user);
}

/* A call for each: over HTTP/1.1 a request ends before its answer begins. */
static int ask_by_http1(
        struct reflection_stream *stream, const grpc_reflection_v1_ServerReflectionRequest *request)
{
        upb_Arena *arena = upb_Arena_New();
        struct metadata metadata;
        struct http1_question question = { .method = &stream->method,
                .request = UPB_UPCAST(request),
                .metadata = &metadata,
                .deadline_ns = answer_due_ns(stream),
                .on_reply = on_http1_reply,
                .user = stream };
        int r = -ENOMEM;

        if (!arena)
                return r;
        choose_method(stream);
        r = metadata_make(stream->source->metadata, true, arena, &metadata) == EXIT_DONE ? 0
                                                                                         : -EINVAL;
        if (r == 0)
                stream->status =
                        connection_ask_http1(stream->source->connection, &question, &stream->error);
        upb_Arena_Free(arena);
        return r;
}

/* One request and its answer, or the end of the call. */
static int ask_once(struct reflection_stream *stream,
        const grpc_reflection_v1_ServerReflectionRequest *request, upb_Arena *arena)
{
        bool is_http1 = stream->source->connection->way;
        int r = is_http1 || stream->call ? 0 : begin(stream);

        stream->answer = NULL;
        stream->is_answered = false;
        stream->arena = arena;
        if (is_http1)
                r = ask_by_http1(stream, request);
        else if (r == 0)
                r = quoit_outcall_send(stream->call, UPB_UPCAST(request));
        if (r == 0 && !is_http1)
                r = wait_for_answer(stream);
        stream->arena = NULL;
        return r;
}

/* Whether it is worth another try: by the older name, or on a new call where a server has ended the one before. */
static bool try_again(struct reflection_stream *stream, bool had_answered)
{
        int wanted = stream->source->flags->reflection;

        if (stream->status == QUOIT_UNIMPLEMENTED && !stream->is_alpha && wanted != REFLECTION_V1) {
                stream->is_alpha = true;
                return true;
        }
        return had_answered;
}

static int fail(struct reflection_stream *stream, int r)
{
        struct source *source = stream->source;
        const char *target = source->connection->target;

        if (r == -ETIMEDOUT)
                source_set_problem(source, "%s: reflection does not answer", target);
        else if (r < 0)
                source_set_problem(source, "%s: reflection: %s", target, strerror(-r));
        else if (stream->status == QUOIT_UNIMPLEMENTED)
                source_set_problem(source,
                        stream->source->connection->way
                                ? "%s has no reflection by HTTP/1.1; give its schema by --proto or "
                                  "--protoset"
                                : "%s has no reflection; give its schema by --proto or --protoset",
                        target);
        else
                source_set_problem(source, "%s: reflection: %s", target, stream->error.text);
        return -EIO;
}

/* 0 and *@ret_answer, in @arena; -ENOENT: the server does not know it; or another negative errno. All with a problem. */
static int ask(struct source *source, const grpc_reflection_v1_ServerReflectionRequest *request,
        upb_Arena *arena, const grpc_reflection_v1_ServerReflectionResponse **ret_answer)
{
        struct reflection_stream *stream = get_stream(source);
        const grpc_reflection_v1_ErrorResponse *error;
        int r = stream ? 0 : -ENOMEM;

        for (unsigned attempt = 0; r == 0; attempt++) {
                bool had_answered = stream->has_answered;

                r = ask_once(stream, request, arena);
                if (stream->answer || r < 0)
                        break;
                if (attempt == 2 || !try_again(stream, had_answered))
                        return fail(stream, 0);
        }
        if (!stream || r < 0)
                return stream ? fail(stream, r) : r;
        error = grpc_reflection_v1_ServerReflectionResponse_error_response(stream->answer);
        if (error) {
                upb_StringView text = grpc_reflection_v1_ErrorResponse_error_message(error);

                return source_set_problem(source, "%s: reflection: %.*s",
                        source->connection->target, (int)text.size, text.data);
        }
        *ret_answer = stream->answer;
        return 0;
}

/* ---- what is asked ---- */

/* All are kept before the first one is linked, if @links: they may come in any order. */
static int add_files(struct source *source, bool links, upb_Arena *arena,
        const grpc_reflection_v1_ServerReflectionResponse *answer)
{
        const grpc_reflection_v1_FileDescriptorResponse *files =
                grpc_reflection_v1_ServerReflectionResponse_file_descriptor_response(answer);
        const upb_StringView *protos = NULL;
        upb_StringView *names;
        size_t count = 0;
        int r = 0;

        if (files)
                protos = grpc_reflection_v1_FileDescriptorResponse_file_descriptor_proto(
                        files, &count);
        names = upb_Arena_Malloc(arena, count * sizeof(*names));
        if (!names)
                return -ENOMEM;
        for (size_t i = 0; r == 0 && i < count; i++)
                r = source_add_proto(source, protos[i], &names[i]);
        for (size_t i = 0; links && r == 0 && i < count; i++)
                r = source_link(source, names[i]);
        return r;
}

/* @set fills in what is asked for. Files are kept, and linked if @links. */
static int load(struct source *source, bool links,
        void (*set)(grpc_reflection_v1_ServerReflectionRequest *request, const void *what,
                upb_Arena *arena),
        const void *what)
{
        upb_Arena *arena = upb_Arena_New();
        grpc_reflection_v1_ServerReflectionRequest *request =
                arena ? grpc_reflection_v1_ServerReflectionRequest_new(arena) : NULL;
        const grpc_reflection_v1_ServerReflectionResponse *answer;
        int r = request ? 0 : -ENOMEM;

        if (r == 0) {
                set(request, what, arena);
                r = ask(source, request, arena, &answer);
        }
        if (r == 0)
                r = add_files(source, links, arena, answer);
        if (arena)
                upb_Arena_Free(arena);
        return r;
}

static void set_file(
        grpc_reflection_v1_ServerReflectionRequest *request, const void *what, upb_Arena *arena)
{
        (void)arena;
        grpc_reflection_v1_ServerReflectionRequest_set_file_by_filename(
                request, *(const upb_StringView *)what);
}

static void set_symbol(
        grpc_reflection_v1_ServerReflectionRequest *request, const void *what, upb_Arena *arena)
{
        (void)arena;
        grpc_reflection_v1_ServerReflectionRequest_set_file_containing_symbol(
                request, upb_StringView_FromString(what));
}

struct extension {
        const char *type;
        int32_t number;
};

static void set_extension(
        grpc_reflection_v1_ServerReflectionRequest *request, const void *what, upb_Arena *arena)
{
        const struct extension *extension = what;
        grpc_reflection_v1_ExtensionRequest *asked =
                grpc_reflection_v1_ServerReflectionRequest_mutable_file_containing_extension(
                        request, arena);

        if (!asked)
                return;
        grpc_reflection_v1_ExtensionRequest_set_containing_type(
                asked, upb_StringView_FromString(extension->type));
        grpc_reflection_v1_ExtensionRequest_set_extension_number(asked, extension->number);
}

int reflection_load_file(struct source *source, upb_StringView name)
{
        return load(source, false, set_file, &name);
}

int reflection_load_symbol(struct source *source, const char *name)
{
        return load(source, true, set_symbol, name);
}

/* ---- lists ---- */

static int add_service(struct source *source, upb_StringView name)
{
        char *copy = upb_Arena_Malloc(source->arena, name.size + 1);

        if (!copy)
                return -ENOMEM;
        memcpy(copy, name.data, name.size);
        copy[name.size] = '\0';
        return strings_add(&source->services, copy);
}

int reflection_load_services(struct source *source)
{
        upb_Arena *arena = upb_Arena_New();
        grpc_reflection_v1_ServerReflectionRequest *request =
                arena ? grpc_reflection_v1_ServerReflectionRequest_new(arena) : NULL;
        const grpc_reflection_v1_ServerReflectionResponse *answer;
        const grpc_reflection_v1_ListServiceResponse *list = NULL;
        const grpc_reflection_v1_ServiceResponse *const *services;
        size_t count = 0;
        int r = request ? 0 : source_set_problem(source, "out of memory");

        if (r == 0) {
                grpc_reflection_v1_ServerReflectionRequest_set_list_services(
                        request, upb_StringView_FromString("*"));
                r = ask(source, request, arena, &answer);
        }
        if (r == 0)
                list = grpc_reflection_v1_ServerReflectionResponse_list_services_response(answer);
        if (list)
                services = grpc_reflection_v1_ListServiceResponse_service(list, &count);
        for (size_t i = 0; r == 0 && i < count; i++)
                r = add_service(source, grpc_reflection_v1_ServiceResponse_name(services[i]));
        if (arena)
                upb_Arena_Free(arena);
        return r;
}

static void load_numbers(
        struct source *source, const char *type, const int32_t *numbers, size_t count)
{
        for (size_t i = 0; i < count && i < EXTENSIONS_MAX; i++) {
                const upb_MessageDef *message = upb_DefPool_FindMessageByName(source->pool, type);
                struct extension extension = { type, numbers[i] };

                if (message &&
                        !upb_DefPool_FindExtensionByNumber(source->pool, message, numbers[i]))
                        load(source, true, set_extension, &extension);
        }
}

void reflection_load_extensions(struct source *source, const char *name)
{
        upb_Arena *arena = upb_Arena_New();
        grpc_reflection_v1_ServerReflectionRequest *request =
                arena ? grpc_reflection_v1_ServerReflectionRequest_new(arena) : NULL;
        const grpc_reflection_v1_ServerReflectionResponse *answer;
        const grpc_reflection_v1_ExtensionNumberResponse *list = NULL;
        const int32_t *numbers;
        size_t count = 0;

        if (request) {
                grpc_reflection_v1_ServerReflectionRequest_set_all_extension_numbers_of_type(
                        request, upb_StringView_FromString(name));
                if (ask(source, request, arena, &answer) == 0)
                        list = grpc_reflection_v1_ServerReflectionResponse_all_extension_numbers_response(
                                answer);
        }
        if (list) {
                numbers = grpc_reflection_v1_ExtensionNumberResponse_extension_number(list, &count);
                load_numbers(source, name, numbers, count);
        }
        if (arena)
                upb_Arena_Free(arena);
}
