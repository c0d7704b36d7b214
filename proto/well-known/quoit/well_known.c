/* SPDX-License-Identifier: MIT */

/*
 * What many .proto files import, part of libquoit and libquoit-message, so that nobody has to make
 * it: protoc's own files and those of google.api and google.rpc. In one object: meson can't name what protoc puts
 * into folders. Weak, so that a program's own of the same files come first.
 */

#define QUOIT_TABLE __attribute__((weak, visibility("default")))

#include "google/api/annotations.quoit.c"
#include "google/api/http.quoit.c"
#include "google/protobuf/any.quoit.c"
#include "google/protobuf/api.quoit.c"
#include "google/protobuf/descriptor.quoit.c"
#include "google/protobuf/duration.quoit.c"
#include "google/protobuf/empty.quoit.c"
#include "google/protobuf/field_mask.quoit.c"
#include "google/protobuf/source_context.quoit.c"
#include "google/protobuf/struct.quoit.c"
#include "google/protobuf/timestamp.quoit.c"
#include "google/protobuf/type.quoit.c"
#include "google/protobuf/wrappers.quoit.c"
#include "google/rpc/code.quoit.c"
#include "google/rpc/error_details.quoit.c"
#include "google/rpc/status.quoit.c"
