/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Server reflection: clients without .proto files, like grpcurl and Postman, ask the server for its services. It is
 * grpc.reflection.v1.ServerReflection of grpc's doc/server-reflection.md, and the same under its older name v1alpha.
 *
 *      quoit_reflection_register(server, NULL, 0);
 *
 * It serves descriptors that are in the program anyway: those of the registered services' files and of all their imports. What
 * no service's file imports it does not know, unless it is told: extensions, messages in an Any, and the details of errors
 * (<quoit/details.h>), which clients like grpcurl can print only if they know the type:
 *
 *      #include <quoit/google/rpc/error_details.quoit.h>
 *      static const quoit_file_descriptor *const files[] = { &google_rpc_error_details_proto_quoit_file };
 *      quoit_reflection_register(server, files, 1);
 */

#include <stddef.h>

#include <quoit/export.h>
#include <quoit/service.h>

QUOIT_BEGIN_DECLS

/*
 * Registers both with @server; other services can be registered before and after. The @file_count @files ("foo/bar.proto" has
 * foo_bar_proto_quoit_file) are further files, which no service's file imports: extensions, the messages in an Any. The array
 * must outlive the server; it can be NULL with @file_count 0.
 * Returns 0 or an error of quoit_server_register().
 */
QUOIT_API int quoit_reflection_register(
        quoit_server *server, const struct quoit_file_descriptor *const *files, size_t file_count);

QUOIT_END_DECLS
