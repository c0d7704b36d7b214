/* SPDX-License-Identifier: MIT */
#pragma once

#include "codec/plugin/memory.h"

#include "upb/reflection/def.h"

/*
 * Checks whether C can be generated for files. protoc checks files before it sends them; another program may not, and upb
 * relies on many of these checks. So each file is checked before upb builds its definitions, and before any of it is printed.
 */
struct check;

struct check *check_new(upb_Arena *arena);

/* Files must follow all of their imports. Returns the first error, in one line, or NULL. */
const char *check_file(struct check *check, const google_protobuf_FileDescriptorProto *file);
