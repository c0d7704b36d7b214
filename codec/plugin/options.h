/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

#include "codec/plugin/memory.h"

#include "upb/base/string_view.h"

/* The options of --quoit_opt. */
struct options {
        bool messages_only;        /* services are left out */
        const char *symbol_prefix; /* identifiers begin with it; "" where there is none */
};

/* The words for protoc that make the same options again: "", or " --quoit_opt=..." with a space in front. */
const char *options_words(const struct options *options, upb_Arena *arena);

/* Parses the plugin's parameter from protoc. Returns an error, or NULL. */
const char *options_parse(struct options *options, upb_StringView parameter, upb_Arena *arena);
