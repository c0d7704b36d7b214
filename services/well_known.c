/* SPDX-License-Identifier: MIT */

/* What channelz imports, in one object: meson can't name what protoc puts into folders. */

#include "google/protobuf/any.quoit.c"
#include "google/protobuf/duration.quoit.c"
#include "google/protobuf/timestamp.quoit.c"
#include "google/protobuf/wrappers.quoit.c"
