/* SPDX-License-Identifier: MIT */
#include "output_flags.h"

#include <unistd.h>

#include <quoit/json.h>

#define FLAG(flag_name, flag_help, field)                                                          \
        { .name = flag_name,                                                                       \
                .help = flag_help,                                                                 \
                .set = flag_set_true,                                                              \
                .offset = offsetof(struct output_flags, field) }

const struct flag output_flags[] = {
        FLAG("json", "one JSON document with all there is, for programs: docs/quoit.md", is_json),
        FLAG("pretty", "JSON on several lines (default: on a terminal)", is_pretty),
        FLAG("compact", "JSON on one line (default: in a pipe, or a file)", is_compact),
        FLAG("no-color", "no colours (default: on a terminal, unless NO_COLOR is set)", is_plain),
        FLAG("emit-defaults", "fields that have their default too", emits_defaults),
        FLAG("proto-names", "fields as the .proto file spells them", has_proto_names),
        FLAG("enum-numbers", "enums as numbers", has_enum_numbers),
        { 0 },
};

bool output_is_pretty(const struct output_flags *flags, int fd)
{
        return flags->is_pretty || (!flags->is_compact && isatty(fd));
}

int output_json_options(const struct output_flags *flags)
{
        return (flags->emits_defaults ? QUOIT_JSON_DEFAULTS : 0) |
               (flags->has_proto_names ? QUOIT_JSON_PROTO_NAMES : 0) |
               (flags->has_enum_numbers ? QUOIT_JSON_ENUM_NUMBERS : 0);
}
