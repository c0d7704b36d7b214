/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "codec/plugin/spelling.h"
#include "codec/plugin/types.h"
#include "codec/plugin/unit.h"

/* The file's descriptor, for reflection, and its imports. */

void descriptor_declare(struct unit *u)
{
        printer_set(&u->h, "file", names_file_symbol(u->names, u->file));
        printer_set(&u->h, "short_file", names_file(u->names, u->file));
        printer_emit(&u->h, "extern const quoit_file_descriptor $file$;\n"
                            "#ifdef $short_file$_quoit_file\n"
                            "#undef $short_file$_quoit_file\n"
                            "#define $short_file$_quoit_file $short_file$_stands_for_two_files\n"
                            "#else\n"
                            "#define $short_file$_quoit_file $file$\n"
                            "#endif\n"
                            "\n");
}

/* Without locations and comments; in a deterministic order, so that equal input gives equal bytes. */
static const char *descriptor_bytes(struct unit *u, size_t *ret_size)
{
        google_protobuf_FileDescriptorProto *copy;
        size_t size;
        char *bytes;

        bytes = memory_check(
                google_protobuf_FileDescriptorProto_serialize(u->proto, u->arena, &size));
        copy = memory_check(google_protobuf_FileDescriptorProto_parse(bytes, size, u->arena));
        google_protobuf_FileDescriptorProto_clear_source_code_info(copy);
        return memory_check(google_protobuf_FileDescriptorProto_serialize_ex(
                copy, kUpb_EncodeOption_Deterministic, u->arena, ret_size));
}

static void descriptor_emit_dependencies(struct unit *u, int n)
{
        if (!n)
                return;
        printer_emit(
                &u->c, "static const quoit_file_descriptor *const $file$_dependencies[] = {\n");
        for (int i = 0; i < n; i++)
                printer_printf(&u->c, "        &%s,\n",
                        names_file_symbol(u->names, upb_FileDef_Dependency(u->file, i)));
        printer_printf(&u->c, "};\n\n");
}

void descriptor_emit(struct unit *u)
{
        int n = upb_FileDef_DependencyCount(u->file);
        size_t size;
        const char *bytes = descriptor_bytes(u, &size);

        printer_set(&u->c, "file", names_file_symbol(u->names, u->file));
        descriptor_emit_dependencies(u, n);
        printer_emit(&u->c, "static const char $file$_bytes[] =\n        ");
        printer_set(&u->c, "literal", types_literal(bytes, size, 8, u->arena));
        printer_set(&u->c, "file_literal",
                types_literal(upb_FileDef_Name(u->file), strlen(upb_FileDef_Name(u->file)), 16,
                        u->arena));
        printer_emit(&u->c, "$literal$;\n"
                            "\n"
                            "QUOIT_TABLE const quoit_file_descriptor $file$ = {\n"
                            "        .name = $file_literal$,\n"
                            "        .bytes = $file$_bytes,\n"
                            "        .size = sizeof($file$_bytes) - 1,\n"
                            "        .layout = &$file$_layout,\n");
        if (n) {
                printer_emit(&u->c, "        .dependencies = $file$_dependencies,\n");
                printer_printf(&u->c, "        .dependency_count = %d,\n", n);
        }
        printer_printf(&u->c, "};\n");
}
