/* SPDX-License-Identifier: MIT */
#pragma once

#include "codec/plugin/memory.h"

#include "upb/reflection/def.h"

/*
 * Whether files can become C. protoc has checked what it sends; who else makes a request may not have, and upb takes much
 * for granted. So each file is checked as it came, before upb builds definitions of it and before any of it is printed.
 */
struct check;

struct check *check_new(upb_Arena *arena);

/* Files come behind all that they import. Returns what is wrong first, in one line, or NULL. */
const char *check_file(struct check *check, const google_protobuf_FileDescriptorProto *file);
