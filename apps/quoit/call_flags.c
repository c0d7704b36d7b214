/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "call_options.h"
#include "say.h"

static int set_format(const struct flag *flag, const char *text, void *field)
{
        if (strcmp(text, "json") != 0 && strcmp(text, "text") != 0) {
                say_usage("--%s: '%s' is not json or text", flag->name, text);
                return -EINVAL;
        }
        *(bool *)field = !strcmp(text, "text");
        return 0;
}

static int set_codec(const struct flag *flag, const char *text, void *field)
{
        if (strcmp(text, "json") != 0 && strcmp(text, "proto") != 0) {
                say_usage("--%s: '%s' is not json or proto", flag->name, text);
                return -EINVAL;
        }
        *(bool *)field = !strcmp(text, "json");
        return 0;
}

#define FIELD(name) offsetof(struct call_options, name)

const struct flag call_flags[] = {
        { "data", 'd', "JSON", "the request; @FILE; @ for standard input; several: a stream",
                flag_add_string, FIELD(data), 0 },
        { "format", 0, "FORMAT", "of messages: json, or text (protobuf's)", set_format,
                FIELD(is_text), 0 },
        { "codec", 0, "NAME", "of messages on the wire, by connect and grpc-web: proto, json",
                set_codec, FIELD(is_json_codec), 0 },
        { "max-time", 0, "TIME", "of all, until the call's deadline: 2s, 500ms (default: none)",
                flag_set_time, FIELD(time_ms), 0 },
        { "compress", 0, "NAME", "of requests: gzip, deflate, zstd", flag_set_compression,
                FIELD(compression), 0 },
        { "wait-for-ready", 0, NULL, "wait where the server is lost", flag_set_true, FIELD(waits),
                0 },
        { "allow-unknown-fields", 0, NULL, "fields that the type does not have are left out",
                flag_set_true, FIELD(ignores_unknown), 0 },
        { "format-error", 0, NULL, "an error is printed as JSON, google.rpc.Status", flag_set_true,
                FIELD(is_error_json), 0 },
        { "verbose", 'v', NULL, "headers and trailers, on stderr", flag_set_number,
                FIELD(verbosity), 1 },
        { "vv", 0, NULL, "times too", flag_set_number, FIELD(verbosity), 2 },
        { 0 },
};
