/* SPDX-License-Identifier: MIT */
#pragma once

/* What the parts of proto_text share: where it is in the file, and the look of lines. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <quoit/upb.h>

#include "upb/reflection/def.h"

typedef google_protobuf_FileDescriptorProto file_proto;
typedef google_protobuf_DescriptorProto message_proto;
typedef google_protobuf_FieldDescriptorProto field_proto;
typedef google_protobuf_OneofDescriptorProto oneof_proto;
typedef google_protobuf_EnumDescriptorProto enum_proto;
typedef google_protobuf_EnumValueDescriptorProto enum_value_proto;
typedef google_protobuf_ServiceDescriptorProto service_proto;
typedef google_protobuf_MethodDescriptorProto method_proto;
typedef google_protobuf_SourceCodeInfo_Location location_proto;

/* upb takes no descriptor in which messages are nested deeper than 100. */
enum { PRINTER_PATH_MAX = 256 };

struct printer {
        FILE *out;
        const upb_DefPool *pool;
        const file_proto *file;
        upb_Arena *arena;
        enum { PROTO2, PROTO3, EDITIONS } syntax;
        const char *only; /* the full name of the one symbol to print; NULL: all */

        const upb_FileDef **files; /* the file and all that it imports, these too */
        size_t n_files;
        bool *needed; /* of these: the text refers to something in it */

        const location_proto **locations; /* sorted by path */
        size_t n_locations;
        int32_t path[PRINTER_PATH_MAX]; /* of the current element, as in a location */
        size_t n_path;

        int depth; /* of blocks */
        bool fresh; /* nothing is in this block yet */
        bool after_block; /* the last element looks better with an empty line behind it */
        bool after_comment; /* so does this one, and the comment would be taken for the next one's */
};

/* @only: see the member. */
void printer_init(struct printer *p, FILE *out, const upb_DefPool *pool, const file_proto *file,
        const char *only);
void printer_deinit(struct printer *p);

/* Memory that lives as long as @p. The program ends if there is none. */
void *printer_memory(struct printer *p, size_t count, size_t size);
char *__attribute__((format(printf, 2, 3))) printer_format(
        struct printer *p, const char *format, ...);

/* @text with a zero behind it. */
const char *printer_string(struct printer *p, upb_StringView text);

/* The full name of @name in @scope ("": in none). */
const char *printer_join(struct printer *p, const char *scope, upb_StringView name);

/* Whether the element of this name is to be printed: all of it, or since the one that is to be is in it. */
bool printer_wants(const struct printer *p, const char *full_name);

/* Goes to an element, and back: at @index of the repeated field @number. */
void printer_push(struct printer *p, int32_t number, size_t index);
void printer_pop(struct printer *p);

/* The same for all of a field @number. */
void printer_push_single(struct printer *p, int32_t number);
void printer_pop_single(struct printer *p);

/*
 * An element: an empty line where it looks better, or its comment needs one, its comments, and the begin of its line. A @block has some
 * lines. @bare: without comments.
 */
void printer_begin(struct printer *p, bool block, bool bare);

/* The end of an element's line, with the comment that stands there. */
void printer_end(struct printer *p, bool bare);

/* A block's " {", and its end. */
void printer_open(struct printer *p, bool bare);
void printer_close(struct printer *p);

/* The begin of a line. */
void printer_indent(struct printer *p);

#define VIEW_FORMAT "%.*s"
#define VIEW_ARGS(view) (int)(view).size, (view).data
