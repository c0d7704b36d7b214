/* SPDX-License-Identifier: MIT */
#include "google/protobuf/any.quoit.c"
#include "google/protobuf/duration.quoit.c"
#include "google/protobuf/field_mask.quoit.c"
#include "google/protobuf/struct.quoit.c"
#include "google/protobuf/timestamp.quoit.c"
#include "google/protobuf/wrappers.quoit.c"
