/* SPDX-License-Identifier: MIT */
#include "front/http_rule.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include <quoit/message.h>

#include "internal/http_rule.quoit.h"

struct reading {
        const quoit_service *service;
        http_rule_fn *fn;
        void *user;
};

/* Whether the full name @full ends with @name, behind a @separator or at its beginning. */
static bool ends_with(const char *full, char separator, upb_StringView name)
{
        size_t size = strlen(full);

        if (size < name.size || memcmp(full + size - name.size, name.data, name.size) != 0)
                return false;
        return size == name.size || full[size - name.size - 1] == separator;
}

static upb_StringView text(const char *string)
{
        return upb_StringView_FromString(string);
}

static void read_pattern(const quoit_transcoding_Rule *rule, struct http_rule *ret_rule)
{
        const quoit_transcoding_Custom *custom;

        switch (quoit_transcoding_Rule_pattern_case(rule)) {
        case quoit_transcoding_Rule_pattern_get:
                ret_rule->http_method = text("GET");
                ret_rule->path = quoit_transcoding_Rule_get(rule);
                break;
        case quoit_transcoding_Rule_pattern_put:
                ret_rule->http_method = text("PUT");
                ret_rule->path = quoit_transcoding_Rule_put(rule);
                break;
        case quoit_transcoding_Rule_pattern_post:
                ret_rule->http_method = text("POST");
                ret_rule->path = quoit_transcoding_Rule_post(rule);
                break;
        case quoit_transcoding_Rule_pattern_delete:
                ret_rule->http_method = text("DELETE");
                ret_rule->path = quoit_transcoding_Rule_delete(rule);
                break;
        case quoit_transcoding_Rule_pattern_patch:
                ret_rule->http_method = text("PATCH");
                ret_rule->path = quoit_transcoding_Rule_patch(rule);
                break;
        case quoit_transcoding_Rule_pattern_custom:
                custom = quoit_transcoding_Rule_custom(rule);
                ret_rule->http_method = quoit_transcoding_Custom_kind(custom);
                ret_rule->path = quoit_transcoding_Custom_path(custom);
                break;
        default:
                break;
        }
}

static int tell(const struct reading *reading, const quoit_method *method,
        const quoit_transcoding_Rule *rule)
{
        struct http_rule told = { .method = method,
                .body = quoit_transcoding_Rule_body(rule),
                .response_body = quoit_transcoding_Rule_response_body(rule) };

        read_pattern(rule, &told);
        return reading->fn(reading->user, &told);
}

static int read_method(const struct reading *reading, const quoit_transcoding_Method *described)
{
        const quoit_transcoding_Options *options = quoit_transcoding_Method_options(described);
        const quoit_transcoding_Rule *rule =
                options ? quoit_transcoding_Options_http(options) : NULL;
        const quoit_transcoding_Rule *const *more;
        upb_StringView name = quoit_transcoding_Method_name(described);
        const quoit_method *method = NULL;
        size_t count;
        int r;

        for (size_t i = 0; rule && !method && i < reading->service->method_count; i++)
                if (ends_with(reading->service->methods[i].path, '/', name))
                        method = reading->service->methods + i;
        if (!method)
                return 0;
        r = tell(reading, method, rule);
        more = quoit_transcoding_Rule_additional_bindings(rule, &count);
        for (size_t i = 0; r == 0 && i < count; i++)
                r = tell(reading, method, more[i]);
        return r;
}

static int read_file(const struct reading *reading, const quoit_transcoding_File *file)
{
        size_t service_count, method_count;
        const quoit_transcoding_Service *const *services =
                quoit_transcoding_File_service(file, &service_count);
        const quoit_transcoding_Method *const *methods;
        int r = 0;

        for (size_t i = 0; i < service_count; i++) {
                if (!ends_with(reading->service->name, '.',
                            quoit_transcoding_Service_name(services[i])))
                        continue;
                methods = quoit_transcoding_Service_method(services[i], &method_count);
                for (size_t j = 0; r == 0 && j < method_count; j++)
                        r = read_method(reading, methods[j]);
                break;
        }
        return r;
}

int http_rules_each(const quoit_service *service, http_rule_fn *fn, void *user)
{
        struct reading reading = { .service = service, .fn = fn, .user = user };
        const quoit_transcoding_File *file;
        upb_Arena *arena;
        int r;

        if (!service->file)
                return 0;
        arena = upb_Arena_New();
        if (!arena)
                return -ENOMEM;
        file = quoit_transcoding_File_parse(service->file->bytes, service->file->size, arena);
        r = file ? read_file(&reading, file) : -EINVAL;
        upb_Arena_Free(arena);
        return r;
}
