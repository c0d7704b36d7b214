/* SPDX-License-Identifier: MIT */
#include "client/service_config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client/balancing_config.h"
#include "client/service_config_read.h"
#include "upb/mem/arena.h"

/* "SERVICE/METHOD", "SERVICE/", or "" for all. */
struct named_config {
        upb_StringView name;
        const struct method_config *config;
        unsigned method, index; /* where it stands: methodConfig[METHOD].name[INDEX] */
};

static const struct method_config nothing_said = {
        .timeout_ns = UINT64_MAX,
        .request_bytes_max = SIZE_MAX,
        .response_bytes_max = SIZE_MAX,
};

/* ---- methods ---- */

/* "SERVICE/METHOD", in @arena; a NULL is "". */
static int make_name(upb_Arena *arena, const struct json *service, const struct json *method,
        upb_StringView *ret_name)
{
        size_t service_size = service ? service->text.size : 0;
        size_t method_size = method ? method->text.size : 0;
        char *name;

        if (service_size == 0) {
                *ret_name = upb_StringView_FromString("");
                return 0;
        }
        name = upb_Arena_Malloc(arena, service_size + 1 + method_size);
        if (!name)
                return -ENOMEM;
        memcpy(name, service->text.data, service_size);
        name[service_size] = '/';
        if (method_size > 0)
                memcpy(name + service_size + 1, method->text.data, method_size);
        *ret_name = upb_StringView_FromDataAndSize(name, service_size + 1 + method_size);
        return 0;
}

static int read_name(const struct place *place, const struct json *object, upb_Arena *arena,
        upb_StringView *ret_name)
{
        struct field service, method;
        int r = config_want(place, object, JSON_OBJECT);

        if (r == 0)
                r = config_find(place, object, "service", JSON_STRING, &service);
        if (r == 0)
                r = config_find(place, object, "method", JSON_STRING, &method);
        if (r < 0)
                return r;
        if (method.json && method.json->text.size > 0 &&
                (!service.json || service.json->text.size == 0))
                return config_refuse(place, "a method is named without its service");
        return make_name(arena, service.json, method.json, ret_name);
}

struct reading {
        struct service_config *config;
        struct named_config *methods; /* room for all names */
        size_t count;
};

static size_t count_elements(const struct json *array)
{
        size_t count = 0;

        for (const struct json *json = array && array->type == JSON_ARRAY ? array->first : NULL;
                json; json = json->next)
                count++;
        return count;
}

static int add_names(struct reading *reading, const struct place *up, const struct json *object,
        const struct method_config *config)
{
        struct field names;
        unsigned index = 0;
        int r = config_find(up, object, "name", JSON_ARRAY, &names);

        if (r < 0 || !names.json) /* a config without names is for nobody */
                return r;
        for (const struct json *json = names.json->first; r == 0 && json; json = json->next) {
                struct place place = element_place(&names.place, index);
                struct named_config *named = reading->methods + reading->count;

                *named = (struct named_config){
                        .config = config, .method = up->index, .index = index++
                };
                r = read_name(&place, json, reading->config->arena, &named->name);
                reading->count++;
        }
        return r;
}

static int compare_names(upb_StringView one, upb_StringView other)
{
        size_t size = one.size < other.size ? one.size : other.size;
        int order = size > 0 ? memcmp(one.data, other.data, size) : 0;

        return order ? order : (one.size > other.size) - (one.size < other.size);
}

/* Names that are the same stay in the order of the text. */
static int compare(const void *a, const void *b)
{
        const struct named_config *one = a, *other = b;
        int order = compare_names(one->name, other->name);

        if (order == 0)
                order = (one->method > other->method) - (one->method < other->method);
        return order ? order : (one->index > other->index) - (one->index < other->index);
}

static int sort_methods(const struct reading *reading, const struct place *whole)
{
        const struct named_config *methods = reading->methods;

        if (reading->count > 1)
                qsort(reading->methods, reading->count, sizeof(*methods), compare);
        for (size_t i = 1; i < reading->count; i++) {
                if (compare_names(methods[i - 1].name, methods[i].name) == 0)
                        return config_refuse(whole,
                                "methodConfig[%u].name[%u]: methodConfig[%u] has this name already",
                                methods[i].method, methods[i].index, methods[i - 1].method);
        }
        reading->config->methods = methods;
        reading->config->method_count = reading->count;
        return 0;
}

static size_t count_names(const struct json *array)
{
        size_t count = 0;

        for (const struct json *json = array->first; json; json = json->next) {
                if (json->type == JSON_OBJECT)
                        count += count_elements(json_member(json, "name"));
        }
        return count;
}

static int read_methods(
        struct service_config *config, const struct place *whole, const struct json *object)
{
        struct reading reading = { .config = config };
        struct field field;
        unsigned index = 0;
        int r = config_find(whole, object, "methodConfig", JSON_ARRAY, &field);

        if (r < 0 || !field.json)
                return r;
        reading.methods =
                upb_Arena_Malloc(config->arena, count_names(field.json) * sizeof(*reading.methods));
        if (!reading.methods)
                return -ENOMEM;
        for (const struct json *json = field.json->first; r == 0 && json; json = json->next) {
                struct place place = element_place(&field.place, index++);
                struct method_config *method = upb_Arena_Malloc(config->arena, sizeof(*method));

                if (!method)
                        return -ENOMEM;
                *method = nothing_said;
                r = config_want(&place, json, JSON_OBJECT);
                if (r == 0)
                        r = config_read_method(&place, json, method);
                if (r == 0)
                        r = add_names(&reading, &place, json, method);
        }
        return r < 0 ? r : sort_methods(&reading, whole);
}

/* ---- the rest ---- */

static int read_health_check(
        struct service_config *config, const struct place *whole, const struct json *object)
{
        struct field field, service;
        int r = config_find(whole, object, "healthCheckConfig", JSON_OBJECT, &field);

        if (r == 0 && field.json)
                r = config_find(&field.place, field.json, "serviceName", JSON_STRING, &service);
        if (r == 0)
                config->health_check = field.json;
        return r;
}

/* More than the most is no error: it is what the service allows, and we want less. */
static int read_scaling(
        struct service_config *config, const struct place *whole, const struct json *object)
{
        struct field field;
        size_t connections_max = 0;
        int r = config_find(whole, object, "connectionScaling", JSON_OBJECT, &field);

        if (r == 0 && field.json)
                r = config_read_size(
                        &field.place, field.json, "maxConnectionsPerSubchannel", &connections_max);
        config->connections_max = connections_max < QUOIT_CHANNEL_CONNECTIONS_MAX
                                          ? (unsigned)connections_max
                                          : QUOIT_CHANNEL_CONNECTIONS_MAX;
        return r;
}

/* ---- the whole ---- */

int config_parse(const struct place *whole, upb_StringView text, upb_Arena *arena,
        const struct json **ret_json)
{
        struct json_problem problem;
        int r;

        if (text.size > QUOIT_SERVICE_CONFIG_BYTES_MAX)
                return config_refuse(
                        whole, "it has more than %zu bytes", QUOIT_SERVICE_CONFIG_BYTES_MAX);
        r = json_parse(text, arena, ret_json, &problem);
        return r == -EINVAL ? config_refuse(whole, "line %u, column %u: %s", problem.line,
                                      problem.column, problem.what)
                            : r;
}

int config_read(struct service_config *config, const struct place *place, const struct json *json)
{
        int r = config_want(place, json, JSON_OBJECT);

        if (r == 0)
                r = balancing_read(place, json, &config->balancing, &config->has_balancing);
        if (r == 0)
                r = read_methods(config, place, json);
        if (r == 0)
                r = config_read_throttling(place, json, &config->throttling);
        if (r == 0)
                r = read_health_check(config, place, json);
        if (r == 0)
                r = read_scaling(config, place, json);
        return r;
}

struct service_config *config_new(void)
{
        upb_Arena *arena = upb_Arena_New();
        struct service_config *config = arena ? upb_Arena_Malloc(arena, sizeof(*config)) : NULL;

        if (!config) {
                if (arena)
                        upb_Arena_Free(arena);
                return NULL;
        }
        memset(config, 0, sizeof(*config));
        config->arena = arena;
        atomic_init(&config->refs, 1);
        return config;
}

int service_config_new(upb_StringView text, struct service_config **ret_config,
        char ret_problem[static SERVICE_CONFIG_PROBLEM_BYTES])
{
        const struct place whole = { .problem = ret_problem };
        struct service_config *config = config_new();
        const struct json *json;
        int r = config ? config_parse(&whole, text, config->arena, &json) : -ENOMEM;

        if (r == 0)
                r = config_read(config, &whole, json);
        if (r < 0)
                service_config_unref(config);
        else
                *ret_config = config;
        return r;
}

struct service_config *service_config_ref(struct service_config *config)
{
        if (config)
                atomic_fetch_add_explicit(&config->refs, 1, memory_order_relaxed);
        return config;
}

struct service_config *service_config_unref(struct service_config *config)
{
        if (config && atomic_fetch_sub_explicit(&config->refs, 1, memory_order_acq_rel) == 1)
                upb_Arena_Free(config->arena);
        return NULL;
}

/* ---- a method's ---- */

static int compare_with_name(const void *name, const void *named)
{
        return compare_names(
                *(const upb_StringView *)name, ((const struct named_config *)named)->name);
}

static const struct method_config *find_named(
        const struct service_config *config, const char *name, size_t size)
{
        upb_StringView key = upb_StringView_FromDataAndSize(name, size);
        const struct named_config *found = bsearch(
                &key, config->methods, config->method_count, sizeof(*found), compare_with_name);

        return found ? found->config : NULL;
}

const struct method_config *service_config_find(
        const struct service_config *config, const char *path)
{
        const char *name = path + 1, *slash;
        const struct method_config *found;

        if (!config || config->method_count == 0)
                return &nothing_said;
        found = find_named(config, name, strlen(name));
        if (!found && (slash = strrchr(name, '/')))
                found = find_named(config, name, (size_t)(slash + 1 - name));
        if (!found)
                found = find_named(config, "", 0);
        return found ? found : &nothing_said;
}
