/* SPDX-License-Identifier: MIT */
#pragma once

#include "codec/plugin/memory.h"

/*
 * protoc's plugin protocol (google/protobuf/compiler/plugin.proto): the bytes of a request to those of a response. Errors in
 * the .proto files or the options are reported in the response. 0, or -EBADMSG if @request is not a CodeGeneratorRequest.
 */
int generator_run(const char *request, size_t request_size, upb_Arena *arena,
        const char **ret_response, size_t *ret_response_size);
