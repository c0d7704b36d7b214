/* SPDX-License-Identifier: MIT */
#pragma once

/* Messages as ProtoJSON. Unknown fields and enum values are ignored, as other servers of Connect do. */

#include <pthread.h>
#include <stdatomic.h>

#include <quoit/message.h>
#include <quoit/method.h>
#include <quoit/schema.h>

#include "call/dialect.h"

/*
 * What a server knows of its messages' names, for all its rings and workers: upb's reflection of the files that define its services.
 * It is made when the first call needs it, which may take milliseconds.
 */
struct json_types {
        pthread_mutex_t mutex; /* while it is made */
        quoit_schema *_Atomic schema; /* NULL: not made yet */
        const quoit_service *const *services;
        size_t count;
        quoit_file_descriptor error_details; /* google/rpc/error_details.proto, without tables */
};

/* The list @services is not copied. */
void json_types_init(struct json_types *types, const quoit_service *const *services, size_t count);
/* Takes zeroed memory. */
void json_types_deinit(struct json_types *types);

/* NULL, and what is wrong in *@ret_problem. Any thread. */
const quoit_schema *json_types_schema(struct json_types *types, quoit_problem *ret_problem);

extern const struct message_codec json_codec;
