/* SPDX-License-Identifier: MIT */
#pragma once

/* The flags of commands that print. */

#include "flags.h"

struct output_flags {
        bool is_json;   /* for programs: the document that docs/quoit.md describes */
        bool is_pretty; /* JSON on several lines; also what a terminal gets */
        bool is_compact; /* JSON on one line */
        bool is_plain;  /* no colours */
        bool emits_defaults; /* fields that have their default too */
        bool has_proto_names; /* a_field, not aField */
        bool has_enum_numbers;
};

extern const struct flag output_flags[];

/* Whether messages are printed on several lines, to @fd. */
bool output_is_pretty(const struct output_flags *flags, int fd);

/* The options of upb_JsonEncode(), which are those of quoit_json_print(). */
int output_json_options(const struct output_flags *flags);
