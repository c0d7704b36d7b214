/* SPDX-License-Identifier: MIT */
#include <quoit/reflection.h>

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <quoit/hooks.h>

#include "grpc/reflection/v1/reflection.quoit.h"
#include "grpc/reflection/v1alpha/reflection.quoit.h"
#include "services/symbols.h"

/* One for both versions of the service: v1 is spoken inside. */
struct reflection {
        quoit_server *server;
        const quoit_file_descriptor *const *files; /* in addition to the services' files */
        size_t file_count;
        pthread_mutex_t mutex;
        struct symbols *symbols; /* under the mutex until it exists; made by the first request */
};

/* A stream; in its call's memory. */
struct conversation {
        const struct reflection *reflection;
        const struct symbols *symbols;
        bool *sent; /* files of which the client has the descriptor, by number */
};

/* ---- symbols ---- */

static struct symbols *make_symbols(const struct reflection *reflection)
{
        size_t services = quoit_server_service_count(reflection->server);
        size_t count = services + reflection->file_count;
        const quoit_file_descriptor **files = calloc(count, sizeof(const quoit_file_descriptor *));
        struct symbols *symbols;

        if (!files)
                return NULL;
        for (size_t i = 0; i < services; i++)
                files[i] = quoit_server_service(reflection->server, i)->file;
        for (size_t i = 0; i < reflection->file_count; i++)
                files[services + i] = reflection->files[i];
        symbols = symbols_new(files, count);
        free(files);
        return symbols;
}

static const struct symbols *symbols_of(struct reflection *reflection)
{
        const struct symbols *symbols;

        pthread_mutex_lock(&reflection->mutex);
        if (!reflection->symbols)
                reflection->symbols = make_symbols(reflection);
        symbols = reflection->symbols;
        pthread_mutex_unlock(&reflection->mutex);
        return symbols;
}

/* ---- answers: false if memory is short ---- */

typedef grpc_reflection_v1_ServerReflectionRequest request;
typedef grpc_reflection_v1_ServerReflectionResponse response;

static bool set_error(
        response *to, upb_Arena *arena, quoit_status status, const char *what, upb_StringView name)
{
        grpc_reflection_v1_ErrorResponse *error =
                grpc_reflection_v1_ServerReflectionResponse_mutable_error_response(to, arena);
        size_t size = strlen(what) + name.size;
        char *text = upb_Arena_Malloc(arena, size);

        if (!error || !text)
                return false;
        memcpy(text, what, strlen(what));
        if (name.size > 0)
                memcpy(text + strlen(what), name.data, name.size);
        grpc_reflection_v1_ErrorResponse_set_error_code(error, (int32_t)status);
        grpc_reflection_v1_ErrorResponse_set_error_message(
                error, upb_StringView_FromDataAndSize(text, size));
        return true;
}

/* Marks in @wanted all files that a file imports, directly or not. */
static void want_imports(const struct symbols *symbols, size_t file, bool *wanted)
{
        const quoit_file_descriptor *descriptor = symbols_file(symbols, file);

        if (wanted[file])
                return;
        wanted[file] = true;
        for (size_t i = 0; i < descriptor->dependency_count; i++)
                want_imports(symbols,
                        symbols_find_file(symbols,
                                upb_StringView_FromString(descriptor->dependencies[i]->name)),
                        wanted);
}

static bool add_file(grpc_reflection_v1_FileDescriptorResponse *to, upb_Arena *arena,
        const quoit_file_descriptor *file)
{
        return grpc_reflection_v1_FileDescriptorResponse_add_file_descriptor_proto(
                to, upb_StringView_FromDataAndSize(file->bytes, file->size), arena);
}

/* The file is first, and always sent; its imports only if they were not sent before. */
static bool set_files(
        struct conversation *conversation, response *to, upb_Arena *arena, size_t file)
{
        const struct symbols *symbols = conversation->symbols;
        size_t count = symbols_file_count(symbols);
        grpc_reflection_v1_FileDescriptorResponse *files =
                grpc_reflection_v1_ServerReflectionResponse_mutable_file_descriptor_response(
                        to, arena);
        bool *wanted = upb_Arena_Malloc(arena, count * sizeof(*wanted));
        bool ok = files && wanted && add_file(files, arena, symbols_file(symbols, file));

        if (!ok)
                return false;
        memset(wanted, 0, count * sizeof(*wanted));
        want_imports(symbols, file, wanted);
        conversation->sent[file] = true;
        for (size_t i = 0; ok && i < count; i++) {
                if (!wanted[i] || conversation->sent[i])
                        continue;
                ok = add_file(files, arena, symbols_file(symbols, i));
                conversation->sent[i] = true;
        }
        return ok;
}

static bool set_files_or_error(struct conversation *conversation, response *to, upb_Arena *arena,
        size_t file, const char *error, upb_StringView name)
{
        if (file == SYMBOLS_NONE)
                return set_error(to, arena, QUOIT_NOT_FOUND, error, name);
        return set_files(conversation, to, arena, file);
}

struct numbers {
        grpc_reflection_v1_ExtensionNumberResponse *to;
        upb_Arena *arena;
        bool ok;
};

static void add_number(void *user, int32_t number)
{
        struct numbers *numbers = user;

        numbers->ok =
                numbers->ok && grpc_reflection_v1_ExtensionNumberResponse_add_extension_number(
                                       numbers->to, number, numbers->arena);
}

static bool set_numbers(
        const struct symbols *symbols, response *to, upb_Arena *arena, upb_StringView type)
{
        struct numbers numbers = { .arena = arena };

        if (symbols_find(symbols, type) == SYMBOLS_NONE)
                return set_error(to, arena, QUOIT_NOT_FOUND, "unknown type: ", type);
        numbers.to =
                grpc_reflection_v1_ServerReflectionResponse_mutable_all_extension_numbers_response(
                        to, arena);
        numbers.ok = numbers.to;
        if (!numbers.ok)
                return false;
        grpc_reflection_v1_ExtensionNumberResponse_set_base_type_name(numbers.to, type);
        symbols_each_extension(symbols, type, add_number, &numbers);
        return numbers.ok;
}

static bool set_services(const quoit_server *server, response *to, upb_Arena *arena)
{
        grpc_reflection_v1_ListServiceResponse *list =
                grpc_reflection_v1_ServerReflectionResponse_mutable_list_services_response(
                        to, arena);

        for (size_t i = 0; list && i < quoit_server_service_count(server); i++) {
                grpc_reflection_v1_ServiceResponse *service =
                        grpc_reflection_v1_ListServiceResponse_add_service(list, arena);

                if (!service)
                        return false;
                grpc_reflection_v1_ServiceResponse_set_name(
                        service, upb_StringView_FromString(quoit_server_service(server, i)->name));
        }
        return list;
}

static bool set_extension(struct conversation *conversation, response *to, upb_Arena *arena,
        const grpc_reflection_v1_ExtensionRequest *of)
{
        upb_StringView type = grpc_reflection_v1_ExtensionRequest_containing_type(of);
        int32_t number = grpc_reflection_v1_ExtensionRequest_extension_number(of);

        return set_files_or_error(conversation, to, arena,
                symbols_find_extension(conversation->symbols, type, number),
                "no such extension of ", type);
}

static bool set_answer(
        struct conversation *conversation, response *to, upb_Arena *arena, const request *of)
{
        const struct symbols *symbols = conversation->symbols;
        upb_StringView name;

        switch (grpc_reflection_v1_ServerReflectionRequest_message_request_case(of)) {
        case grpc_reflection_v1_ServerReflectionRequest_message_request_file_by_filename:
                name = grpc_reflection_v1_ServerReflectionRequest_file_by_filename(of);
                return set_files_or_error(conversation, to, arena, symbols_find_file(symbols, name),
                        "unknown file: ", name);
        case grpc_reflection_v1_ServerReflectionRequest_message_request_file_containing_symbol:
                name = grpc_reflection_v1_ServerReflectionRequest_file_containing_symbol(of);
                return set_files_or_error(conversation, to, arena, symbols_find(symbols, name),
                        "unknown symbol: ", name);
        case grpc_reflection_v1_ServerReflectionRequest_message_request_file_containing_extension:
                return set_extension(conversation, to, arena,
                        grpc_reflection_v1_ServerReflectionRequest_file_containing_extension(of));
        case grpc_reflection_v1_ServerReflectionRequest_message_request_all_extension_numbers_of_type:
                return set_numbers(symbols, to, arena,
                        grpc_reflection_v1_ServerReflectionRequest_all_extension_numbers_of_type(
                                of));
        case grpc_reflection_v1_ServerReflectionRequest_message_request_list_services:
                return set_services(conversation->reflection->server, to, arena);
        case grpc_reflection_v1_ServerReflectionRequest_message_request_NOT_SET:
                break;
        }
        return set_error(to, arena, QUOIT_INVALID_ARGUMENT,
                "asks for nothing that this server knows", upb_StringView_FromString(""));
}

/* ---- the stream ---- */

/* Reads as many requests as answers can be queued. */
static void read_on(quoit_call *call)
{
        if (quoit_call_writable(call))
                quoit_call_set_read_credits(call, 1);
}

static void fail_no_memory(quoit_call *call)
{
        quoit_call_finish(call, QUOIT_RESOURCE_EXHAUSTED, "out of memory");
}

/* NULL: memory is short. */
static response *answer_to(struct conversation *conversation, const request *of, upb_Arena *arena)
{
        response *to = grpc_reflection_v1_ServerReflectionResponse_new(arena);

        if (!conversation || !to || !set_answer(conversation, to, arena, of))
                return NULL;
        grpc_reflection_v1_ServerReflectionResponse_set_valid_host(
                to, grpc_reflection_v1_ServerReflectionRequest_host(of));
        grpc_reflection_v1_ServerReflectionResponse_set_original_request(to, (request *)of);
        return to;
}

static void on_request(quoit_call *call, const request *of, void *state)
{
        /* NULL ends the call, as there is no memory */
        if (grpc_reflection_v1_ServerReflection_ServerReflectionInfo_send(
                    call, answer_to(state, of, quoit_call_scratch(call))) == 0)
                read_on(call);
}

/* v1alpha's messages are v1's on the wire. NULL: memory is short. */
static request *from_alpha(
        const grpc_reflection_v1alpha_ServerReflectionRequest *alpha, upb_Arena *arena)
{
        size_t size;
        char *bytes = arena ? grpc_reflection_v1alpha_ServerReflectionRequest_serialize(
                                      alpha, arena, &size)
                            : NULL;

        return bytes ? grpc_reflection_v1_ServerReflectionRequest_parse(bytes, size, arena) : NULL;
}

static grpc_reflection_v1alpha_ServerReflectionResponse *to_alpha(
        const response *to, upb_Arena *arena)
{
        size_t size;
        char *bytes =
                to ? grpc_reflection_v1_ServerReflectionResponse_serialize(to, arena, &size) : NULL;

        return bytes ? grpc_reflection_v1alpha_ServerReflectionResponse_parse(bytes, size, arena)
                     : NULL;
}

static void on_alpha_request(
        quoit_call *call, const grpc_reflection_v1alpha_ServerReflectionRequest *alpha, void *state)
{
        upb_Arena *arena = quoit_call_scratch(call);
        const request *of = from_alpha(alpha, arena);
        const response *to = of ? answer_to(state, of, arena) : NULL;

        if (grpc_reflection_v1alpha_ServerReflection_ServerReflectionInfo_send(
                    call, to_alpha(to, arena)) == 0)
                read_on(call);
}

/* The client can keep its stream open for ever: the server's stop must not wait for that. */
static void on_stop(quoit_call *call, void *arg)
{
        (void)arg;
        quoit_call_finish(call, QUOIT_UNAVAILABLE, "the server is stopping");
}

/* NULL: memory is short, and the call is over. */
static void *on_start(quoit_call *call, void *user)
{
        struct reflection *reflection = user;
        const struct symbols *symbols = symbols_of(reflection);
        struct conversation *conversation =
                symbols ? quoit_call_alloc(call, sizeof(*conversation)) : NULL;
        bool *sent = conversation ? quoit_call_alloc(call, symbols_file_count(symbols)) : NULL;

        quoit_call_set_read_credits(call, 1);
        if (!sent || quoit_call_at_stop(call, on_stop, NULL) == -ENOMEM) {
                fail_no_memory(call);
                return NULL;
        }
        *conversation =
                (struct conversation){ .reflection = reflection, .symbols = symbols, .sent = sent };
        return conversation;
}

static void on_half_close(quoit_call *call, void *state)
{
        (void)state;
        quoit_call_finish(call, QUOIT_OK, NULL);
}

static void on_writable(quoit_call *call, void *state)
{
        (void)state;
        read_on(call);
}

/* ---- life ---- */

static void on_free(void *user)
{
        struct reflection *reflection = user;

        symbols_free(reflection->symbols);
        pthread_mutex_destroy(&reflection->mutex);
        free(reflection);
}

static const grpc_reflection_v1_ServerReflection_service service = {
        .ServerReflectionInfo = {
                .on_start = on_start,
                .on_message = on_request,
                .on_half_close = on_half_close,
                .on_writable = on_writable,
        },
};

static const grpc_reflection_v1alpha_ServerReflection_service alpha_service = {
        .ServerReflectionInfo = {
                .on_start = on_start,
                .on_message = on_alpha_request,
                .on_half_close = on_half_close,
                .on_writable = on_writable,
        },
};

int quoit_reflection_register(
        quoit_server *server, const struct quoit_file_descriptor *const *files, size_t file_count)
{
        static const quoit_server_hooks hooks = { .on_free = on_free };
        struct reflection *reflection = calloc(1, sizeof(*reflection));
        int r;

        if (!reflection)
                return -ENOMEM;
        *reflection =
                (struct reflection){ .server = server, .files = files, .file_count = file_count };
        pthread_mutex_init(&reflection->mutex, NULL);
        r = quoit_server_hook(server, &hooks, reflection);
        if (r < 0) {
                on_free(reflection);
                return r;
        }
        r = grpc_reflection_v1_ServerReflection_register(server, &service, reflection);
        if (r == 0)
                r = grpc_reflection_v1alpha_ServerReflection_register(
                        server, &alpha_service, reflection);
        return r;
}
