/* SPDX-License-Identifier: MIT */
#include "codec/plugin/unit.h"

#include "codec/plugin/options.h"
#include "codec/plugin/shipped.h"
#include "codec/plugin/spelling.h"

#include <quoit/message.h>
#include <quoit/version.h>

/*
 * Where an import is missing, an #error says what to do, before the compiler reports a missing header, and stops. gcc skips an #include
 * that __has_include() has not found, unless it has another spelling: hence "./".
 */
static void unit_emit_missing(struct unit *u, const struct elsewhere *elsewhere)
{
        printer_emit(&u->h, "#else\n");
        if (elsewhere) {
                printer_set(&u->h, "elsewhere", elsewhere->path);
                printer_emit(&u->h, "#error \"$header$ needs $import_header$, which is made "
                                    "elsewhere (elsewhere=$elsewhere$): give the compiler its "
                                    "folder, -I...\"\n"
                                    "#include <./$import_header$>\n");
        } else {
                printer_emit(&u->h, "#error \"$header$ needs $import_header$: make that too, "
                                    "protoc$options$ --quoit_out=... $import$, and give the "
                                    "compiler its folder, -I...\"\n"
                                    "#include \"./$import_header$\"\n");
        }
        printer_emit(&u->h,
                "#endif\n"
                "#ifndef $import_file$_quoit_file\n"
                "#error \"$import_header$ and $header$ were made with different symbol_prefix\"\n"
                "#endif\n");
}

static void unit_emit_import(struct unit *u, const upb_FileDef *file)
{
        const char *name = upb_FileDef_Name(file);
        const struct elsewhere *elsewhere = options_elsewhere(u->options, name);
        const char *header = spelling_output(u->arena, name, ".quoit.h");

        printer_set(&u->h, "import", name);
        printer_set(&u->h, "options", options_words(u->options, u->arena));
        printer_set(&u->h, "import_file", names_file(u->names, file));
        printer_set(&u->h, "import_header", header);
        printer_set(
                &u->h, "quoted", memory_format(u->arena, elsewhere ? "<%s>" : "\"%s\"", header));
        printer_emit(&u->h, "\n"
                            "#ifndef __has_include\n"
                            "#include $quoted$\n"
                            "#elif __has_include($quoted$)\n"
                            "#include $quoted$\n");
        if (shipped_file(name) && !elsewhere)
                printer_emit(&u->h, "#elif __has_include(<quoit/$import_header$>)\n"
                                    "#include <quoit/$import_header$>\n");
        unit_emit_missing(u, elsewhere);
}

/* What services need. */
static void unit_emit_roles(struct unit *u)
{
        if (!upb_FileDef_ServiceCount(u->file))
                return;
        if (u->options->services)
                printer_emit(&u->h, "#include <quoit/service.h>\n");
        if (u->options->stubs)
                printer_emit(&u->h, "#include <quoit/stub.h>\n");
}

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
        unit_emit_roles(u);
        for (int i = 0; i < upb_FileDef_DependencyCount(u->file); i++)
                unit_emit_import(u, upb_FileDef_Dependency(u->file, i));
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
                "#ifdef __cplusplus\n"
                "#error \"this is C, not C++: give it to a C compiler, and include $header$ in "
                "C++\"\n"
                "#endif\n"
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
        enums_emit_tables(u);
        descriptor_emit(u);

        if (u->options->services || u->options->stubs)
                services_emit(u);
        printer_printf(&u->h, "QUOIT_END_DECLS\n");
}
