/* SPDX-License-Identifier: MIT */
#include "front/json_codec.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <quoit/google/rpc/error_details.quoit.h>
#include <quoit/json.h>

#include "codec/percent.h"
#include "codec/required.h"
#include "schema/problem.h"
#include "schema/schema.h"

/* ---- types ---- */

void json_types_init(struct json_types *types, const quoit_service *const *services, size_t count)
{
        pthread_mutex_init(&types->mutex, NULL);
        atomic_init(&types->schema, NULL);
        types->services = services;
        types->count = count;
        types->error_details = google_rpc_error_details_proto_quoit_file;
        types->error_details.layout = NULL;
}

void json_types_deinit(struct json_types *types)
{
        if (!types->services)
                return;
        quoit_schema_free(atomic_load(&types->schema));
        pthread_mutex_destroy(&types->mutex);
        *types = (struct json_types){ 0 };
}

/*
 * NULL, and what is wrong in *@ret_problem. Errors have details of google.rpc's types, which no service need import; but one may have another
 * file of them. So may the program, with other fields: its tables then take the place of the library's, which therefore are made anew.
 */
static quoit_schema *make_schema(const struct json_types *types, quoit_problem *ret_problem)
{
        const quoit_file_descriptor **files = calloc(types->count + 1, sizeof(*files));
        quoit_schema *schema = NULL;

        if (!files) {
                (void)problem_set(ret_problem, -ENOMEM, "out of memory");
                return NULL;
        }
        for (size_t i = 0; i < types->count; i++)
                files[i] = types->services[i]->file;
        (void)schema_new_with(files, types->count, &types->error_details, &schema, ret_problem);
        free(files);
        return schema;
}

const quoit_schema *json_types_schema(struct json_types *types, quoit_problem *ret_problem)
{
        quoit_schema *schema = atomic_load_explicit(&types->schema, memory_order_acquire);

        if (schema)
                return schema;
        pthread_mutex_lock(&types->mutex);
        schema = atomic_load_explicit(&types->schema, memory_order_relaxed);
        if (!schema) {
                schema = make_schema(types, ret_problem);
                atomic_store_explicit(&types->schema, schema, memory_order_release);
        }
        pthread_mutex_unlock(&types->mutex);
        return schema;
}

/* ---- messages ---- */

/* For the status: percent-encoded, in @arena. */
static const char *text_of(upb_Arena *arena, const quoit_problem *problem)
{
        static const char before[] = "the request message is not valid JSON for its type: ";
        char text[sizeof(before) + QUOIT_PROBLEM_BYTES];
        size_t size = sizeof(before) - 1 + strlen(problem->text), encoded_size;
        char *encoded;

        memcpy(text, before, sizeof(before));
        strcpy(text + sizeof(before) - 1, problem->text);
        encoded_size = percent_encoded_size(text, size);
        encoded = upb_Arena_Malloc(arena, encoded_size + 1);
        if (!encoded)
                return "the request message is not valid JSON for its type";
        encoded[percent_encode(encoded, text, size)] = '\0';
        return encoded;
}

static int decode(struct quoit_call *call, const uint8_t *data, size_t size, upb_Arena *arena,
        upb_Message **ret_message, const char **ret_text)
{
        const upb_MiniTable *type = call->request.route->method->request;
        upb_StringView text = upb_StringView_FromDataAndSize((const char *)data, size);
        quoit_problem problem = { "" };
        const quoit_schema *schema = json_types_schema(call_host_of(call)->json_types, &problem);
        struct field_place missing;
        upb_Message *message;
        int r = schema ? quoit_json_parse(schema, text, type, QUOIT_JSON_IGNORE_UNKNOWN, arena,
                                 &message, &problem)
                       : -EBADMSG;

        if (r == -ENOMEM)
                return r;
        if (r < 0) {
                *ret_text = text_of(arena, &problem);
                return -EBADMSG;
        }
        if (required_find_missing(message, type, &missing)) {
                *ret_text = "the request message lacks a required field";
                return -EBADMSG;
        }
        *ret_message = message;
        return 0;
}

static int encode(struct quoit_call *call, const upb_Message *message, const upb_MiniTable *type,
        size_t bytes_max, upb_StringView *ret_bytes)
{
        upb_Arena *arena = quoit_call_scratch(call);
        quoit_problem problem = { "" };
        const quoit_schema *schema = json_types_schema(call_host_of(call)->json_types, &problem);
        int r;

        if (!arena)
                return -ENOMEM;
        r = schema ? quoit_json_print(schema, message, type, 0, arena, ret_bytes, &problem)
                   : -EBADMSG;
        if (r < 0)
                return r == -ENOMEM ? r : -EBADMSG;
        return ret_bytes->size > bytes_max ? -EMSGSIZE : 0;
}

const struct message_codec json_codec = { .decode = decode, .encode = encode };
