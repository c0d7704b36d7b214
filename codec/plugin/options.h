/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

#include "codec/plugin/memory.h"

#include "upb/base/string_view.h"

/* What is made elsewhere: a file, or all in a folder. */
struct elsewhere {
        const char *path; /* a folder ends with "/" */
        const char *prefix; /* its identifiers begin with it; "" where there is none */
        const struct elsewhere *next; /* given before it */
};

/* The options of --quoit_opt. */
struct options {
        bool services;             /* what servers need of services is made */
        bool stubs;                /* what clients need of them is */
        const char *symbol_prefix; /* identifiers begin with it; "" where there is none */
        const struct elsewhere *elsewhere; /* the last one; NULL: none */
};

/* The words for protoc that make the same options again: "", or " --quoit_opt=..." with a space in front. */
const char *options_words(const struct options *options, upb_Arena *arena);

/* What has been said of the file @name: itself, before the innermost folder. NULL: it is made here. */
const struct elsewhere *options_elsewhere(const struct options *options, const char *name);

/* What identifiers of the file @name begin with. */
const char *options_prefix_of(const struct options *options, const char *name);

/* Parses the plugin's parameter from protoc. Returns an error, or NULL. */
const char *options_parse(struct options *options, upb_StringView parameter, upb_Arena *arena);
