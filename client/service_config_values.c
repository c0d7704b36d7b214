/* SPDX-License-Identifier: MIT */
#include "client/service_config_read.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/clock.h"

#define DURATION_SECONDS_MAX 315576000000 /* google.protobuf.Duration's */
#define SECONDS_COUNTED ((uint64_t)1000000000) /* more is the same: three decades */
#define DURATION_DIGITS 9

/* ---- what is wrong, and where ---- */

static size_t put_way(char *out, size_t room, const struct place *place)
{
        size_t size = place->up ? put_way(out, room, place->up) : 0;
        int r = 0;

        if (place->up && place->name)
                r = snprintf(out + size, room - size, "%s%s", size > 0 ? "." : "", place->name);
        else if (place->up)
                r = snprintf(out + size, room - size, "[%u]", place->index);
        size += (size_t)r;
        return size < room ? size : room - 1;
}

int config_refuse(const struct place *place, const char *format, ...)
{
        char way[SERVICE_CONFIG_PROBLEM_BYTES / 2], text[SERVICE_CONFIG_PROBLEM_BYTES / 2 - 2];
        size_t size = put_way(way, sizeof(way), place);
        va_list arguments;

        va_start(arguments, format);
        vsnprintf(text, sizeof(text), format, arguments);
        va_end(arguments);
        snprintf(place->problem, SERVICE_CONFIG_PROBLEM_BYTES, "%.*s%s%s", (int)size, way,
                size > 0 ? ": " : "", text);
        return -EINVAL;
}

int config_want(const struct place *place, const struct json *json, enum json_type type)
{
        static const char *const names[] = { "null", "true or false", "a number", "a string",
                "an array", "an object" };

        return json->type == type ? 0 : config_refuse(place, "%s is wanted", names[type]);
}

int config_find(const struct place *up, const struct json *object, const char *name,
        enum json_type type, struct field *ret_field)
{
        *ret_field = (struct field){
                .place = { .up = up, .name = name, .problem = up->problem },
                .json = json_member(object, name),
        };
        return ret_field->json ? config_want(&ret_field->place, ret_field->json, type) : 0;
}

/* ---- values ---- */

/* "1.5s": digits, up to nine decimals, s. */
static int parse_duration(upb_StringView text, uint64_t *ret_ns)
{
        const char *at = text.data, *end = at + text.size;
        uint64_t seconds = 0, ns = 0;
        int decimals = 0;

        if (at == end || *at == '.' || *--end != 's')
                return -EINVAL;
        for (; at < end && *at >= '0' && *at <= '9' && seconds <= DURATION_SECONDS_MAX; at++)
                seconds = seconds * 10 + (uint64_t)(*at - '0');
        if (at < end && *at == '.' && ++at == end)
                return -EINVAL;
        for (; at < end && *at >= '0' && *at <= '9' && decimals < DURATION_DIGITS; decimals++)
                ns = ns * 10 + (uint64_t)(*at++ - '0');
        for (; decimals < DURATION_DIGITS; decimals++)
                ns *= 10;
        if (at != end || text.size == 1 || seconds > DURATION_SECONDS_MAX)
                return -EINVAL;
        *ret_ns = (seconds < SECONDS_COUNTED ? seconds : SECONDS_COUNTED) * NS_PER_S + ns;
        return 0;
}

int config_read_duration(
        const struct place *up, const struct json *object, const char *name, uint64_t *ret_ns)
{
        struct field field;
        int r = config_find(up, object, name, JSON_STRING, &field);

        if (r < 0 || !field.json)
                return r;
        if (parse_duration(field.json->text, ret_ns) < 0)
                return config_refuse(&field.place, "a duration like \"1.5s\" is wanted");
        return 0;
}

int config_read_size(
        const struct place *up, const struct json *object, const char *name, size_t *ret_size)
{
        struct field field;
        uint64_t size;
        int r = config_find(up, object, name, JSON_NUMBER, &field);

        if (r < 0 || !field.json)
                return r;
        if (json_whole(field.json, UINT32_MAX, &size) < 0)
                return config_refuse(&field.place, "a whole number from 0 to 4294967295 is wanted");
        *ret_size = size;
        return 0;
}

/* ---- status codes ---- */

static int parse_code(const struct json *json, quoit_status *ret_status)
{
        uint64_t number;

        if (json->type == JSON_NUMBER && json_whole(json, QUOIT_UNAUTHENTICATED, &number) == 0) {
                *ret_status = (quoit_status)number;
                return 0;
        }
        for (int i = QUOIT_OK; json->type == JSON_STRING && i <= QUOIT_UNAUTHENTICATED; i++) {
                const char *name = quoit_status_name((quoit_status)i);

                if (json->text.size == strlen(name) &&
                        strncasecmp(json->text.data, name, json->text.size) == 0) {
                        *ret_status = (quoit_status)i;
                        return 0;
                }
        }
        return -EINVAL;
}

int config_read_codes(
        const struct place *up, const struct json *object, const char *name, status_set *ret_codes)
{
        struct field field;
        unsigned index = 0;
        status_set codes = 0;
        int r = config_find(up, object, name, JSON_ARRAY, &field);

        if (r < 0 || !field.json)
                return r;
        for (const struct json *json = field.json->first; json; json = json->next) {
                struct place place = element_place(&field.place, index++);
                quoit_status status;

                if (parse_code(json, &status) < 0)
                        return config_refuse(
                                &place, "a status code of gRPC is wanted, by number or name");
                if (status == QUOIT_OK)
                        return config_refuse(&place, "OK is no failure");
                codes |= (status_set)1 << status;
        }
        *ret_codes = codes;
        return 0;
}
