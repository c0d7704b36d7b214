/* SPDX-License-Identifier: MIT */
#include "printer.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "comments.h"

/* ---- memory ---- */

static void __attribute__((noreturn)) out_of_memory(void)
{
        fputs("quoit: out of memory\n", stderr);
        exit(EXIT_FAILURE);
}

void *printer_memory(struct printer *p, size_t count, size_t size)
{
        void *memory = count > SIZE_MAX / 2 / (size ? size : 1)
                               ? NULL
                               : upb_Arena_Malloc(p->arena, count * size + 1);

        if (!memory)
                out_of_memory();
        return memset(memory, 0, count * size + 1);
}

char *printer_format(struct printer *p, const char *format, ...)
{
        va_list args;
        int size;
        char *text;

        va_start(args, format);
        size = vsnprintf(NULL, 0, format, args);
        va_end(args);
        text = printer_memory(p, (size_t)(size < 0 ? 0 : size), 1);
        va_start(args, format);
        vsnprintf(text, (size_t)(size < 0 ? 0 : size) + 1, format, args);
        va_end(args);
        return text;
}

const char *printer_string(struct printer *p, upb_StringView text)
{
        return printer_format(p, VIEW_FORMAT, VIEW_ARGS(text));
}

/* ---- names and places ---- */

const char *printer_join(struct printer *p, const char *scope, upb_StringView name)
{
        return printer_format(p, "%s%s" VIEW_FORMAT, scope, *scope ? "." : "", VIEW_ARGS(name));
}

bool printer_wants(const struct printer *p, const char *full_name)
{
        size_t size = strlen(full_name);

        return !p->only || (!strncmp(p->only, full_name, size) &&
                                   (p->only[size] == '\0' || p->only[size] == '.'));
}

void printer_push_single(struct printer *p, int32_t number)
{
        if (p->n_path == PRINTER_PATH_MAX)
                abort(); /* upb has not taken such a file */
        p->path[p->n_path++] = number;
}

void printer_pop_single(struct printer *p)
{
        p->n_path--;
}

void printer_push(struct printer *p, int32_t number, size_t index)
{
        printer_push_single(p, number);
        printer_push_single(p, (int32_t)index);
}

void printer_pop(struct printer *p)
{
        p->n_path -= 2;
}

/* ---- lines ---- */

void printer_indent(struct printer *p)
{
        fprintf(p->out, "%*s", 2 * p->depth, "");
}

void printer_begin(struct printer *p, bool block, bool bare)
{
        bool comment = !bare && comments_are_before(p);
        bool detached = !bare && comments_are_detached(p);

        if (p->fresh ? detached && p->depth > 0
                     : block || comment || p->after_block || p->after_comment)
                fputc('\n', p->out);
        p->fresh = false;
        p->after_block = block;
        p->after_comment = false;
        if (!bare)
                comments_print_before(p);
        printer_indent(p);
}

void printer_end(struct printer *p, bool bare)
{
        if (bare)
                fputc('\n', p->out);
        else
                comments_print_behind(p);
}

void printer_open(struct printer *p, bool bare)
{
        fputs(" {", p->out);
        p->depth++;
        p->fresh = true;
        printer_end(p, bare);
        if (p->after_comment)
                p->fresh = false;
}

void printer_close(struct printer *p)
{
        p->depth--;
        printer_indent(p);
        fputs("}\n", p->out);
        p->fresh = false;
        p->after_block = true;
        p->after_comment = false;
}

/* ---- life ---- */

/* Adds @file and what it imports, breadth first. */
static void list_files(struct printer *p, const upb_FileDef *file)
{
        size_t room = 16, next = 0;

        p->files = printer_memory(p, room, sizeof(*p->files));
        p->files[p->n_files++] = file;
        for (; next < p->n_files; next++) {
                for (int i = 0; i < upb_FileDef_DependencyCount(p->files[next]); i++) {
                        const upb_FileDef *other = upb_FileDef_Dependency(p->files[next], i);
                        size_t j = 0;

                        while (j < p->n_files && p->files[j] != other)
                                j++;
                        if (j < p->n_files || !other)
                                continue;
                        if (p->n_files == room) {
                                const upb_FileDef **files =
                                        printer_memory(p, room *= 2, sizeof(*files));

                                memcpy((void *)files, (const void *)p->files,
                                        p->n_files * sizeof(*files));
                                p->files = files;
                        }
                        p->files[p->n_files++] = other;
                }
        }
        p->needed = printer_memory(p, p->n_files, sizeof(*p->needed));
}

static int syntax_of(const file_proto *file)
{
        upb_StringView syntax = google_protobuf_FileDescriptorProto_syntax(file);

        if (upb_StringView_IsEqual(syntax, upb_StringView_FromString("proto3")))
                return PROTO3;
        return upb_StringView_IsEqual(syntax, upb_StringView_FromString("editions")) ? EDITIONS
                                                                                     : PROTO2;
}

void printer_init(struct printer *p, FILE *out, const upb_DefPool *pool, const file_proto *file,
        const char *only)
{
        *p = (struct printer){
                .out = out, .pool = pool, .file = file, .only = only, .fresh = true
        };
        p->arena = upb_Arena_New();
        if (!p->arena)
                out_of_memory();
        p->syntax = syntax_of(file);
        list_files(p, upb_DefPool_FindFileByName(pool,
                              printer_string(p, google_protobuf_FileDescriptorProto_name(file))));
        comments_find(p);
}

void printer_deinit(struct printer *p)
{
        upb_Arena_Free(p->arena);
}
