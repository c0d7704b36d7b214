/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * How a service config is read: values of its JSON, each with its place, so that one line says what is wrong and where. Functions that
 * read return 0, or -EINVAL behind config_refuse(); what is missing leaves *@ret as it is, unless it says that it must be there.
 */

#include <stdint.h>

#include "client/json.h"
#include "client/service_config.h"

struct upb_Arena;

/* A value's way from the whole, for a line like "methodConfig[0].timeout: ...". */
struct place {
        const struct place *up; /* NULL: the whole */
        const char *name; /* NULL: an element of an array */
        unsigned index;
        char *problem; /* where the line is written */
};

/* A value that may be missing. */
struct field {
        struct place place;
        const struct json *json; /* NULL: it is */
};

/* Writes the line "WAY: TEXT" and returns -EINVAL. */
int config_refuse(const struct place *place, const char *format, ...)
        __attribute__((format(printf, 2, 3)));

/* The place of an array's element. */
static inline struct place element_place(const struct place *up, unsigned index)
{
        return (struct place){ .up = up, .index = index, .problem = up->problem };
}

/* @json must be of this type. */
int config_want(const struct place *place, const struct json *json, enum json_type type);

/* The member @name of @object, of this type. *@ret_field refers to @up. */
int config_find(const struct place *up, const struct json *object, const char *name,
        enum json_type type, struct field *ret_field);

/* Each reads a member of @object, which is at @up. */
int config_read_duration(
        const struct place *up, const struct json *object, const char *name, uint64_t *ret_ns);
int config_read_size(
        const struct place *up, const struct json *object, const char *name, size_t *ret_size);
int config_read_codes(
        const struct place *up, const struct json *object, const char *name, status_set *ret_codes);

/* An empty one, with a reference. NULL: no memory. */
struct service_config *config_new(void);

/* *@ret_json is in @arena. 0, -EINVAL or -ENOMEM, as for all of them. */
int config_parse(const struct place *whole, upb_StringView text, struct upb_Arena *arena,
        const struct json **ret_json);

/* All of a config, from @json, which is in its arena and stands at @place. */
int config_read(struct service_config *config, const struct place *place, const struct json *json);

/* What stands in an element of methodConfig, but for its names. @config says nothing yet. */
int config_read_method(
        const struct place *place, const struct json *object, struct method_config *config);
int config_read_throttling(
        const struct place *up, const struct json *object, struct throttling *ret_throttling);
