/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Server reflection: clients that have no .proto files, such as grpcurl and Postman, learn from the server what it serves. It is
 * grpc.reflection.v1.ServerReflection as grpc's doc/server-reflection.md says, and the same under its first name v1alpha.
 *
 *      quoit_reflection_register(server, NULL, 0);
 *
 * What is told is in the program anyway: the descriptors of the registered services' files and of all that they import.
 */

#include <stddef.h>

#include <quoit/export.h>
#include <quoit/service.h>

QUOIT_BEGIN_DECLS

/*
 * Registers both with @server, which may get other services before and after. The @file_count @files ("foo/bar.proto" has
 * foo_bar_proto_quoit_file) are those that no service's file imports: extensions, the messages in an Any. The array must outlive
 * the server; NULL and 0 are fine.
 * 0 or as quoit_server_register().
 */
QUOIT_API int quoit_reflection_register(
        quoit_server *server, const struct quoit_file_descriptor *const *files, size_t file_count);

QUOIT_END_DECLS
