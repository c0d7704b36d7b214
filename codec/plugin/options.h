/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

#include "codec/plugin/memory.h"

#include "upb/base/string_view.h"

/* What users say by --quoit_opt. */
struct options {
        bool messages_only;        /* services are left out */
        const char *symbol_prefix; /* identifiers begin with it; "" where there is none */
};

/* Takes what protoc hands over as the plugin's parameter. Returns what is wrong with it, or NULL. */
const char *options_parse(struct options *options, upb_StringView parameter, upb_Arena *arena);
