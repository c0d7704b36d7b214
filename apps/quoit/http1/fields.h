/* SPDX-License-Identifier: MIT */
#pragma once

/* Fields of HTTP/1.1, and metadata. */

#include <stdbool.h>

#include "../metadata_flags.h"
#include "bytes.h"

enum { ANSWER_FIELDS_MAX = 256 }; /* of an answer's metadata, above: -EMSGSIZE */

/* The value of the first field @name, in lower case. Empty: there is none. */
upb_StringView fields_get(const struct metadata *fields, const char *name);

/* Adds @field as it is, to what only this file's functions have added to. 0; -EMSGSIZE, -ENOMEM. */
int fields_append(struct metadata *metadata, quoit_metadata field, struct upb_Arena *arena);

/*
 * Adds @field, whose value is as on the wire, to @metadata: of a name that ends in "-bin" the value becomes bytes, in @arena, and a list
 * of them several fields. 0; -EMSGSIZE, -ENOMEM.
 */
int fields_add(struct metadata *metadata, const quoit_metadata *field, struct upb_Arena *arena);

/*
 * Adds those that are not the protocol's own: the headers; or, if @are_trailers, those that Connect has as "trailer-NAME".
 * 0; -EMSGSIZE, -ENOMEM.
 */
int fields_add_own(struct metadata *metadata, const struct metadata *fields, bool are_trailers,
        struct upb_Arena *arena);

/* Whether all of it can be fields of a request. */
bool fields_are_good(const struct metadata *metadata);

/* Adds the lines of @metadata to the head of a request. 0; -EINVAL: a name or a value that a field cannot have; -ENOMEM. */
int fields_print(struct bytes *head, const struct metadata *metadata);
