/* SPDX-License-Identifier: MIT */
#include "codec/plugin/shipped.h"

#include <stddef.h>
#include <string.h>

/* The files of proto/well-known/quoit/meson.build. */
static const char *const files[] = {
        "google/api/annotations.proto",
        "google/api/http.proto",
        "google/protobuf/any.proto",
        "google/protobuf/api.proto",
        "google/protobuf/descriptor.proto",
        "google/protobuf/duration.proto",
        "google/protobuf/empty.proto",
        "google/protobuf/field_mask.proto",
        "google/protobuf/source_context.proto",
        "google/protobuf/struct.proto",
        "google/protobuf/timestamp.proto",
        "google/protobuf/type.proto",
        "google/protobuf/wrappers.proto",
        "google/rpc/code.proto",
        "google/rpc/error_details.proto",
        "google/rpc/status.proto",
};

bool shipped_file(const char *name)
{
        for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
                if (!strcmp(files[i], name))
                        return true;
        return false;
}
