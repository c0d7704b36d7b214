/* SPDX-License-Identifier: MIT */
#include "codec/plugin/unit.h"
#include "codec/plugin/spelling.h"

#include <quoit/message.h>
#include <quoit/version.h>

static void unit_emit_header_top(struct unit *u)
{
        printer_set(&u->h, "file_name", upb_FileDef_Name(u->file));
        printer_set(
                &u->h, "header", spelling_output(u->arena, upb_FileDef_Name(u->file), ".quoit.h"));
        printer_set(&u->h, "version", QUOIT_VERSION);
        printer_set(&u->h, "gencode", memory_format(u->arena, "%d", QUOIT_GENCODE_VERSION));

        printer_emit(
                &u->h, "/* Made by protoc-gen-quoit $version$ from $file_name$: do not edit. */\n");
        comments_emit_file(u->comments, &u->h);
        printer_emit(&u->h, "#pragma once\n"
                            "\n"
                            "#include <quoit/message.h>\n");
        if (upb_FileDef_ServiceCount(u->file))
                printer_emit(&u->h, "#include <quoit/service.h>\n");
        for (int i = 0; i < upb_FileDef_DependencyCount(u->file); i++) {
                const upb_FileDef *dependency = upb_FileDef_Dependency(u->file, i);

                printer_printf(&u->h, "%s#include \"%s\"\n", i ? "" : "\n",
                        spelling_output(u->arena, upb_FileDef_Name(dependency), ".quoit.h"));
        }
        printer_emit(&u->h, "\n"
                            "#if QUOIT_GENCODE_VERSION != $gencode$\n"
                            "#error \"$header$ was made by protoc-gen-quoit $version$ for another "
                            "libquoit: regenerate it\"\n"
                            "#endif\n"
                            "\n"
                            "QUOIT_BEGIN_DECLS\n"
                            "\n");
}

static void unit_emit_source_top(struct unit *u)
{
        printer_set(&u->c, "file_name", upb_FileDef_Name(u->file));
        printer_set(
                &u->c, "header", spelling_output(u->arena, upb_FileDef_Name(u->file), ".quoit.h"));
        printer_set(&u->c, "version", QUOIT_VERSION);
        printer_emit(&u->c,
                "/* Made by protoc-gen-quoit $version$ from $file_name$: do not edit. */\n"
                "#include \"$header$\"\n"
                "\n"
                "/* upb's tables end in arrays without a size that are initialized, and "
                "descriptors are long. */\n"
                "#pragma GCC diagnostic ignored \"-Wpedantic\"\n"
                "#pragma GCC diagnostic ignored \"-Woverlength-strings\"\n"
                "\n");
}

void unit_emit(struct unit *u)
{
        unit_emit_header_top(u);
        enums_emit(u);
        messages_emit(u);
        extensions_emit(u);
        descriptor_declare(u);

        unit_emit_source_top(u);
        tables_emit(u);
        descriptor_emit(u);

        services_emit(u);
        printer_printf(&u->h, "QUOIT_END_DECLS\n");
}
