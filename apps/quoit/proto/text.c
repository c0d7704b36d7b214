/* SPDX-License-Identifier: MIT */
#include "text.h"

#include <stdlib.h>
#include <string.h>

#include "literal.h"
#include "options.h"
#include "parts.h"

/* ---- the head of a file ---- */

/* Something that is in the descriptor once: its path is one number. */
static void begin_single(struct printer *p, int32_t number, bool bare)
{
        printer_push_single(p, number);
        printer_begin(p, true, bare);
}

static void end_single(struct printer *p, bool bare)
{
        fputc(';', p->out);
        printer_end(p, bare);
        printer_pop_single(p);
}

/* "2023". The names of editions are those of the enum's values. */
static const char *edition_of(const struct printer *p)
{
        static const char prefix[] = "EDITION_";
        const upb_EnumDef *editions =
                upb_DefPool_FindEnumByName(p->pool, "google.protobuf.Edition");
        const upb_EnumValueDef *edition =
                editions ? upb_EnumDef_FindValueByNumber(
                                   editions, google_protobuf_FileDescriptorProto_edition(p->file))
                         : NULL;
        const char *name = edition ? upb_EnumValueDef_Name(edition) : "UNKNOWN";

        return !strncmp(name, prefix, strlen(prefix)) ? name + strlen(prefix) : name;
}

static void print_syntax(struct printer *p, bool bare)
{
        /* Also an edition's comments are there. */
        begin_single(p, AT_FILE_SYNTAX, bare);
        if (p->syntax == EDITIONS)
                fprintf(p->out, "edition = \"%s\"", edition_of(p));
        else
                fprintf(p->out, "syntax = \"%s\"", p->syntax == PROTO3 ? "proto3" : "proto2");
        end_single(p, bare);
}

static void print_package(struct printer *p, bool bare)
{
        if (!google_protobuf_FileDescriptorProto_has_package(p->file))
                return;
        begin_single(p, AT_FILE_PACKAGE, bare);
        fprintf(p->out, "package " VIEW_FORMAT,
                VIEW_ARGS(google_protobuf_FileDescriptorProto_package(p->file)));
        end_single(p, bare);
}

static bool is_among(const int32_t *indexes, size_t n, size_t index)
{
        for (size_t i = 0; i < n; i++)
                if (indexes[i] == (int32_t)index)
                        return true;
        return false;
}

static void print_import(struct printer *p, const char *how, upb_StringView name)
{
        fprintf(p->out, "import %s", how);
        literal_print(p->out, name);
        fputc(';', p->out);
}

static void print_imports(struct printer *p)
{
        size_t n, n_public, n_weak, n_option;
        const upb_StringView *names = google_protobuf_FileDescriptorProto_dependency(p->file, &n);
        const int32_t *public =
                google_protobuf_FileDescriptorProto_public_dependency(p->file, &n_public);
        const int32_t *weak = google_protobuf_FileDescriptorProto_weak_dependency(p->file, &n_weak);
        const upb_StringView *option =
                google_protobuf_FileDescriptorProto_option_dependency(p->file, &n_option);

        p->after_block = true;
        for (size_t i = 0; i < n; i++) {
                printer_push(p, AT_FILE_IMPORT, i);
                printer_begin(p, false, false);
                print_import(p,
                        is_among(public, n_public, i) ? "public "
                        : is_among(weak, n_weak, i)   ? "weak "
                                                      : "",
                        names[i]);
                printer_end(p, false);
                printer_pop(p);
        }
        for (size_t i = 0; i < n_option; i++) {
                printer_begin(p, false, true);
                print_import(p, "option ", option[i]);
                fputc('\n', p->out);
        }
        p->after_block = true;
}

/* Those of the files that the text refers to. */
static void print_needed_imports(struct printer *p)
{
        p->after_block = true;
        for (size_t i = 1; i < p->n_files; i++) {
                if (!p->needed[i])
                        continue;
                printer_begin(p, false, true);
                print_import(p, "", upb_StringView_FromString(upb_FileDef_Name(p->files[i])));
                fputc('\n', p->out);
        }
        p->after_block = true;
}

/* ---- files and symbols ---- */

void proto_text_file(
        FILE *out, const upb_DefPool *pool, const google_protobuf_FileDescriptorProto *file)
{
        struct printer p;
        struct scope scope;
        const google_protobuf_FileOptions *options;

        printer_init(&p, out, pool, file, NULL);
        scope_of_file(&p, &scope);
        options = google_protobuf_FileDescriptorProto_options(file);
        print_syntax(&p, false);
        print_package(&p, false);
        print_imports(&p);
        options_print_statements(&p, &options_of_file, scope.name,
                options_bytes(&p, options, &google__protobuf__FileOptions_msg_init));
        parts_print_items(&p, &scope);
        printer_deinit(&p);
}

/* An enum's values are beside it. */
static const char *element_of(struct printer *p, const char *symbol)
{
        const upb_EnumValueDef *value = upb_DefPool_FindEnumValueByName(p->pool, symbol);

        return value ? upb_EnumDef_FullName(upb_EnumValueDef_Enum(value)) : symbol;
}

void proto_text_symbol(FILE *out, const upb_DefPool *pool,
        const google_protobuf_FileDescriptorProto *file, const char *symbol)
{
        struct printer p;
        struct scope scope;
        char *text = NULL;
        size_t size;
        FILE *body = open_memstream(&text, &size);

        printer_init(&p, body, pool, file, NULL);
        p.only = element_of(&p, symbol);
        scope_of_file(&p, &scope);
        parts_print_items(&p, &scope);
        fclose(body);
        p.out = out;
        p.fresh = true;
        print_syntax(&p, true);
        print_package(&p, true);
        print_needed_imports(&p);
        fprintf(out, "\n%s", text);
        free(text);
        printer_deinit(&p);
}
