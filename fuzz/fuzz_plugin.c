/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "codec/plugin/generator.h"
#include "codec/plugin/text.h"

#include "google/protobuf/compiler/plugin.upb.h"

/*
 * protoc-gen-quoit on any bytes: it says in one line what is wrong, or writes text without characters that a compiler
 * rejects.
 *
 * Input: a CodeGeneratorRequest.
 */
static void check_text(upb_StringView text, bool one_line)
{
        for (size_t i = 0, n; i < text.size; i += n) {
                bool printable;

                n = text_char(text.data + i, text.size - i, &printable);
                assert(printable || (!one_line && (text.data[i] == '\n' || text.data[i] == '\t')));
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        upb_Arena *arena = memory_arena_new();
        const google_protobuf_compiler_CodeGeneratorResponse *response;
        const google_protobuf_compiler_CodeGeneratorResponse_File *const *files;
        const char *bytes;
        size_t n;

        if (generator_run((const char *)data, size, arena, &bytes, &n) == 0) {
                response = google_protobuf_compiler_CodeGeneratorResponse_parse(bytes, n, arena);
                assert(response);
                check_text(google_protobuf_compiler_CodeGeneratorResponse_error(response), true);
                files = google_protobuf_compiler_CodeGeneratorResponse_file(response, &n);
                assert(!n || !google_protobuf_compiler_CodeGeneratorResponse_has_error(response));
                for (size_t i = 0; i < n; i++) {
                        check_text(
                                google_protobuf_compiler_CodeGeneratorResponse_File_name(files[i]),
                                true);
                        check_text(google_protobuf_compiler_CodeGeneratorResponse_File_content(
                                           files[i]),
                                false);
                }
        }
        upb_Arena_Free(arena);
        return 0;
}
