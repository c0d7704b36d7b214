/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The base of NAME.quoit.h and NAME.quoit.c, which protoc-gen-quoit generates. Users include the generated header, which
 * includes this one. A program that uses messages without a server links libquoit-message (pkg-config: quoit-message), which
 * needs only libc.
 *
 * A message is opaque and lives in a upb_Arena, which frees all of its memory at once:
 *
 *      upb_Arena *arena = upb_Arena_New();
 *      api_Hello *hello = api_Hello_new(arena);
 *      size_t size;
 *
 *      api_Hello_set_message(hello, upb_StringView_FromString("Hello"));
 *      char *bytes = api_Hello_serialize(hello, arena, &size);
 *      upb_Arena_Free(arena);
 *
 * The accessors of a message M have the names that upb gives them (docs/generated.md has all signatures):
 *
 *      M_new, M_parse, M_parse_ex, M_parse_checked, M_serialize, M_serialize_ex, M_deep_copy
 *      a field x       M_x, M_set_x, M_clear_x; M_has_x if presence is tracked; M_mutable_x for
 *                      messages: makes it if it is not there
 *      repeated x      M_x(m, &size) is the array, M_mutable_x too but writable, M_resize_x, M_add_x
 *      a map x         M_x_get, M_x_set, M_x_delete, M_x_size, M_x_clear, M_x_next (start with the
 *                      iterator at kUpb_Map_Begin; setting or deleting ends the walk)
 *      a oneof x       M_x_case, M_clear_x, the constants M_x_FIELD and M_x_NOT_SET
 *      an extension x  as the field it is, behind the name of the scope that defines it
 *
 * Enum values are constants, behind the name of what their enum is in, as everywhere in protobuf.
 *
 * Generate code for imported files in the same way. libquoit and libquoit-message already have the well-known types
 * (google/protobuf/timestamp.proto and the others), descriptor.proto, and google/rpc/{code,status,error_details}.proto, with
 * their headers as <quoit/google/...>. Generated code finds them there, unless a program generates its own.
 *
 * Extensions are parsed by M_parse_ex() or M_parse_checked() with a registry that knows them: quoit_file_add_extensions()
 * below. A server has a registry in its options, quoit_server_options.
 *
 * M_parse_checked() checks a message as a server does, and reports what is wrong with it. It returns 0 and the message, or
 *      -EBADMSG  the bytes are not such a message, or text in it is not UTF-8
 *      -ENODATA  a required field (proto2) is missing, which M_parse() does not mind
 *      -E2BIG    messages are nested in it more than 100 deep
 *      -ENOMEM   out of memory, or over the budget
 *
 * An enum E has E_value_name(): the name of a number, or NULL. M_deep_copy() copies a whole message into @arena, with strings
 * and unknown fields; NULL: out of memory.
 *
 * Names in C are upb's: `my.pkg.Msg` is my_pkg_Msg. But a `_` in the name of a package, message, enum or service becomes `__`,
 * so that `A.B_C` and `A_B.C` stay different. A name gets a `_` at its end if it would be the same as another one of the
 * file, or is a word of C or C++ or of the usual headers. Linker symbols begin with `quoit_`, so another upb's code for the
 * same files does not clash. The table of `my.pkg.Msg` is quoit_my__pkg__Msg_msg_init, the descriptor of `foo/bar.proto` is
 * foo_bar_proto_quoit_file; with the plugin's symbol_prefix=fe_ they are fe_quoit_my__pkg__Msg_msg_init and
 * fe_foo_bar_proto_quoit_file.
 *
 * Setters do not copy strings: the bytes must live as long as the message. Those of a parsed message are in its arena.
 *
 * NULL or false from a function that takes an arena: out of memory. From a parser also: the bytes are not such a message. From
 * M_serialize() also: nested too deeply, or text is not UTF-8 where its field requires it (strings of proto3, and of editions
 * unless features.utf8_validation = NONE).
 *
 * A few bytes can become many when they are parsed: an empty message of two bytes takes as much memory as its type has fields.
 * So a parser's memory is limited by the arena's budget (<quoit/budget.h>), or without one by quoit_parse_bytes_max().
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <quoit/budget.h>
#include <quoit/export.h>
#include <quoit/upb.h>

/*
 * Generated code holds tables laid out for the upb in this libquoit; it does not compile against a libquoit with another
 * number. Raise it with each change of upb or of the helpers below.
 */
#define QUOIT_GENCODE_VERSION 5

QUOIT_BEGIN_DECLS

/*
 * The descriptor of one .proto file, for use at run time. That of `foo/bar.proto` is `foo_bar_proto_quoit_file`. All of it is
 * static. The name is short for quoit_file_foo__bar_1proto (see the generated header): use the long one if another file has
 * the same short name, like `foo_bar.proto`.
 */
typedef struct quoit_file_descriptor {
        const char *name;             /* as protoc knows it, "foo/bar.proto" */
        const char *bytes;            /* a serialized google.protobuf.FileDescriptorProto, */
        size_t size;                  /* without source locations and comments */
        const upb_MiniTableFile
                *layout; /* the tables of its messages, closed enums and extensions */
        const struct quoit_file_descriptor *const *dependencies; /* the files that it imports */
        size_t dependency_count; /* of @dependencies */
} quoit_file_descriptor;

/*
 * Adds the extensions that @file itself defines to @registry, for parsers. False if memory is short, or @registry already has
 * another extension with the same number.
 */
static inline bool quoit_file_add_extensions(
        const quoit_file_descriptor *file, upb_ExtensionRegistry *registry)
{
        for (int i = 0; i < upb_MiniTableFile_ExtensionCount(file->layout); i++)
                if (upb_ExtensionRegistry_Add(
                            registry, upb_MiniTableFile_Extension(file->layout, i)) !=
                        kUpb_ExtensionRegistryStatus_Ok)
                        return false;
        return true;
}

/* ---- from here on: for generated code only --------------------------------------------------- */

#ifdef __cplusplus
static_assert(sizeof(void *) == 8, "the tables of protoc-gen-quoit are laid out for 64 bits");
#else
_Static_assert(sizeof(void *) == 8, "the tables of protoc-gen-quoit are laid out for 64 bits");
#endif

/* Stands before each table that linkers see: libquoit's own tables of the well-known types are weak. */
#ifndef QUOIT_TABLE
#define QUOIT_TABLE
#endif

/* The names of an enum's values, by number. */
typedef struct quoit_enum_name {
        int32_t value;
        const char *name;
} quoit_enum_name;

typedef struct quoit_enum_names {
        const quoit_enum_name *list;
        size_t count;
} quoit_enum_names;

/* NULL: @value has none. */
static inline const char *quoit_enum_value_name(const quoit_enum_names *names, int32_t value)
{
        size_t first = 0, end = names->count;

        while (first < end) {
                size_t middle = first + (end - first) / 2;

                if (names->list[middle].value == value)
                        return names->list[middle].name;
                if (names->list[middle].value < value)
                        first = middle + 1;
                else
                        end = middle;
        }
        return NULL;
}

/* upb's own UPB_PRIVATE() ends with its headers. */
#define QUOIT_UPB_PRIVATE(name) name##_dont_copy_me__upb_internal_use_only

#define QUOIT_SUB_MESSAGE(table) { .QUOIT_UPB_PRIVATE(submsg) = &(table) }
#define QUOIT_SUB_ENUM(table) { .QUOIT_UPB_PRIVATE(subenum) = &(table) }
#define QUOIT_SUB_NONE { .QUOIT_UPB_PRIVATE(submsg) = NULL }

/*
 * Tables for the fast decoder. Whether they exist depends on how libquoit was built, not on the compiler of the generated code,
 * which only takes the addresses of functions.
 */
#if QUOIT_UPB_FASTTABLE
#define QUOIT_FASTTABLE_MASK(mask) mask
#define QUOIT_FASTTABLE_INIT(...) __VA_ARGS__
#else
#define QUOIT_FASTTABLE_MASK(mask) 255
#define QUOIT_FASTTABLE_INIT(...)                                                                  \
        {                                                                                          \
        }
#endif

/*
 * _upb_Message_New(), but small messages are cleared inline: memset() of a size that the compiler does not know is a call that
 * takes longer than all the rest. Sizes are multiples of 8; both halves may overlap. NULL also if @arena is NULL.
 */
static inline void *quoit_message_new(const upb_MiniTable *table, upb_Arena *arena)
{
        size_t size = table->QUOIT_UPB_PRIVATE(size);
        char *msg = arena ? (char *)upb_Arena_Malloc(arena, size) : NULL;

        if (!msg)
                return NULL;
        if (size > 64) {
                memset(msg, 0, size);
        } else if (size >= 32) {
                memset(msg, 0, 32);
                memset(msg + size - 32, 0, 32);
        } else if (size >= 16) {
                memset(msg, 0, 16);
                memset(msg + size - 16, 0, 16);
        } else {
                memset(msg, 0, 8);
        }
        return msg;
}

/* Within the arena's budget. */
static inline void *quoit_message_parse_within(const char *buf, size_t size,
        const upb_MiniTable *table, const upb_ExtensionRegistry *registry, int options,
        upb_Arena *arena)
{
        upb_Message *msg = (upb_Message *)quoit_message_new(table, arena);

        if (!msg ||
                upb_Decode(buf, size, msg, table, registry, options, arena) != kUpb_DecodeStatus_Ok)
                return NULL;
        return msg;
}

/* If the arena has no budget, within quoit_parse_bytes_max(). */
static inline void *quoit_message_parse(const char *buf, size_t size, const upb_MiniTable *table,
        const upb_ExtensionRegistry *registry, int options, upb_Arena *arena)
{
        quoit_budget budget;
        void *msg;

        if (!arena || upb_Arena_GetBudget(arena))
                return quoit_message_parse_within(buf, size, table, registry, options, arena);
        quoit_budget_init(&budget, quoit_parse_bytes_max(size));
        upb_Arena_SetBudget(arena, &budget.upb);
        msg = quoit_message_parse_within(buf, size, table, registry, options, arena);
        upb_Arena_SetBudget(arena, NULL);
        return msg;
}

/* What M_parse_checked() does. */
QUOIT_API int quoit_message_parse_checked(const char *buf, size_t size, const upb_MiniTable *table,
        const upb_ExtensionRegistry *registry, upb_Arena *arena, upb_Message **ret_message);

static inline char *quoit_message_serialize(const upb_Message *msg, const upb_MiniTable *table,
        int options, upb_Arena *arena, size_t *ret_size)
{
        char *buf;

        if (upb_Encode(msg, table, options, arena, &buf, ret_size) != kUpb_EncodeStatus_Ok)
                return NULL;
        return buf;
}

static inline const void *quoit_array_data(const upb_Array *array, size_t *ret_size)
{
        if (ret_size)
                *ret_size = array ? upb_Array_Size(array) : 0;
        return array ? upb_Array_DataPtr(array) : NULL;
}

static inline void *quoit_array_mutable_data(upb_Array *array, size_t *ret_size)
{
        if (ret_size)
                *ret_size = array ? upb_Array_Size(array) : 0;
        return array ? upb_Array_MutableDataPtr(array) : NULL;
}

static inline void *quoit_array_resize(upb_Array *array, size_t size, upb_Arena *arena)
{
        if (!array || !QUOIT_UPB_PRIVATE(_upb_Array_ResizeUninitialized)(array, size, arena))
                return NULL;
        return upb_Array_MutableDataPtr(array);
}

/* Appends the element of @size bytes at @value. */
static inline bool quoit_array_add(
        upb_Array *array, const void *value, size_t size, upb_Arena *arena)
{
        size_t n = array ? upb_Array_Size(array) : 0;

        if (!quoit_array_resize(array, n + 1, arena))
                return false;
        QUOIT_UPB_PRIVATE(_upb_Array_Set)(array, n, value, size);
        return true;
}

/* Appends a new message. */
static inline void *quoit_array_add_message(
        upb_Array *array, const upb_MiniTable *table, upb_Arena *arena)
{
        upb_Message *sub = (upb_Message *)quoit_message_new(table, arena);

        return sub && quoit_array_add(array, &sub, sizeof(sub), arena) ? sub : NULL;
}

/* The array of a repeated extension, made if it is not there. */
static inline upb_Array *quoit_extension_array(
        upb_Message *msg, const upb_MiniTableExtension *extension, upb_Arena *arena)
{
        upb_Array *array = upb_Message_GetExtensionMutableArray(msg, extension);

        if (array)
                return array;
        array = upb_Array_New(arena, upb_MiniTableExtension_CType(extension));
        if (!array || !upb_Message_SetExtension(msg, extension, &array, arena))
                return NULL;
        return array;
}

QUOIT_END_DECLS
