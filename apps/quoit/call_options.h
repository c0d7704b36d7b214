/* SPDX-License-Identifier: MIT */
#pragma once

/* The flags of `quoit call`. */

#include "connection_flags.h"
#include "metadata_flags.h"
#include "output_flags.h"
#include "schema_flags.h"

struct call_options {
        struct connection_flags connection;
        struct metadata_flags metadata;
        struct schema_flags schema;
        struct output_flags output;
        struct strings data; /* JSON, @FILE, or @ for standard input */
        bool is_json_codec; /* messages are JSON on the wire: not by gRPC */
        bool is_text; /* messages in protobuf's text format */
        bool ignores_unknown;
        bool waits; /* for a server that cannot be reached yet */
        bool is_error_json; /* a status is printed as google.rpc.Status */
        int compression; /* quoit_compression */
        int verbosity; /* 0, 1, 2 */
        uint32_t time_ms; /* of all; 0: no limit */
};

extern const struct flag call_flags[];
