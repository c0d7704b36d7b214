/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What is said to browsers about pages of other origins (quoit/cors.h): in answers to preflights, and in all other answers that are not
 * plain gRPC.
 */

#include <stdbool.h>
#include <stdint.h>

#include <quoit/cors.h>

struct field_block;
struct quoit_call;

struct cors;

/* What is wrong with an origin. */
struct cors_problem {
        const char *origin; /* as it was given */
        const char *what; /* static */
};

/* A copy of @options. 0; -EINVAL, and *@ret_problem says why; -ENOMEM. */
int cors_new(const quoit_cors_options *options, struct cors **ret_cors,
        struct cors_problem *ret_problem);

/* Takes NULL. */
void cors_free(struct cors *cors);

/* Whether @call, with its header block complete, is a preflight, and its server lets pages call. */
bool cors_is_preflight(const struct quoit_call *call);

/* Makes the answer to it: fields of the call, and http_status. Without memory it is one that allows nothing. */
void cors_answer_preflight(struct quoit_call *call);

/*
 * Adds what the answer's @block, complete up to this, says about its origin: four fields at most. One has its value in @exposed, which must
 * live until the block is submitted. The call's arena is only read: a worker may have it.
 */
#define CORS_EXPOSED_BYTES 1024
void cors_add_fields(
        struct field_block *block, const struct quoit_call *call, char exposed[CORS_EXPOSED_BYTES]);
