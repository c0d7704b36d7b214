/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Descriptors as the text of a .proto file, which protoc takes: what it makes of a file's text is the same descriptor. Comments are
 * there if the descriptor has them (source_code_info); elements then have the order that their author gave them.
 *
 * A descriptor comes from a peer. Nothing in the text but line breaks and tabs controls a terminal.
 */

#include <stdio.h>

#include <quoit/upb.h>

#include "upb/reflection/def.h"

/* Prints the whole @file, which is in @pool, as is all that it imports, and google/protobuf/descriptor.proto, for the names of options. */
void proto_text_file(
        FILE *out, const upb_DefPool *pool, const google_protobuf_FileDescriptorProto *file);

/*
 * Prints the one @symbol of @file, a full name: a message, an enum (also by one of its values), a service, a method, a field, a oneof, an
 * extension. Around it is what it is in, without the rest, and before it what a file needs: syntax, package, imports of what it refers to in
 * other files. It may refer to others of its own file.
 */
void proto_text_symbol(FILE *out, const upb_DefPool *pool,
        const google_protobuf_FileDescriptorProto *file, const char *symbol);
