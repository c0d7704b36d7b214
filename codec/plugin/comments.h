/* SPDX-License-Identifier: MIT */
#pragma once

#include "codec/plugin/printer.h"

#include "upb/reflection/def.h"

/* The comments of one .proto file, by the full name of the thing that they describe. */
struct comments;

struct comments *comments_new(const google_protobuf_FileDescriptorProto *file, upb_Arena *arena);

/* Writes a C comment, indented by @indent spaces, with those before and behind @full_name; or nothing. */
void comments_emit(
        const struct comments *comments, struct printer *p, const char *full_name, int indent);

/* The same for comments above `syntax`, `edition` or `package`. */
void comments_emit_file(const struct comments *comments, struct printer *p);
