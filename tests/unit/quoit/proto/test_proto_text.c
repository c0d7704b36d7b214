/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../../../apps/quoit/proto/template.h"
#include "../../../../apps/quoit/proto/text.h"

/* Descriptors that no protoc makes: a server can send any. tests/test_quoit_look.py has what protoc makes, and what it makes of the text. */

typedef google_protobuf_FileDescriptorProto file_proto;
typedef google_protobuf_DescriptorProto message_proto;
typedef google_protobuf_FieldDescriptorProto field_proto;

static upb_Arena *arena;
static upb_DefPool *pool;

static int setup(void **state)
{
        (void)state;
        arena = upb_Arena_New();
        pool = upb_DefPool_New();
        return 0;
}

static int teardown(void **state)
{
        (void)state;
        upb_DefPool_Free(pool);
        upb_Arena_Free(arena);
        return 0;
}

static upb_StringView view(const char *text)
{
        return upb_StringView_FromString(text);
}

static file_proto *new_file(const char *package, const char *syntax)
{
        file_proto *file = google_protobuf_FileDescriptorProto_new(arena);

        google_protobuf_FileDescriptorProto_set_name(file, view("a.proto"));
        google_protobuf_FileDescriptorProto_set_package(file, view(package));
        if (syntax)
                google_protobuf_FileDescriptorProto_set_syntax(file, view(syntax));
        return file;
}

static message_proto *add_message(file_proto *file, const char *name)
{
        message_proto *message = google_protobuf_FileDescriptorProto_add_message_type(file, arena);

        google_protobuf_DescriptorProto_set_name(message, view(name));
        return message;
}

static message_proto *add_nested(message_proto *outer, const char *name)
{
        message_proto *message = google_protobuf_DescriptorProto_add_nested_type(outer, arena);

        google_protobuf_DescriptorProto_set_name(message, view(name));
        return message;
}

static field_proto *add_field(
        message_proto *message, const char *name, int number, int type, const char *type_name)
{
        field_proto *field = google_protobuf_DescriptorProto_add_field(message, arena);

        google_protobuf_FieldDescriptorProto_set_name(field, view(name));
        google_protobuf_FieldDescriptorProto_set_number(field, number);
        google_protobuf_FieldDescriptorProto_set_label(
                field, google_protobuf_FieldDescriptorProto_LABEL_OPTIONAL);
        google_protobuf_FieldDescriptorProto_set_type(field, type);
        if (type_name)
                google_protobuf_FieldDescriptorProto_set_type_name(field, view(type_name));
        return field;
}

static void add_to_pool(const file_proto *file)
{
        upb_Status status;

        upb_Status_Clear(&status);
        if (!upb_DefPool_AddFile(pool, file, &status))
                fail_msg("%s", upb_Status_ErrorMessage(&status));
}

/* The caller frees it. */
static char *text_of(const file_proto *file, const char *symbol)
{
        char *text = NULL;
        size_t size;
        FILE *out = open_memstream(&text, &size);

        if (symbol)
                proto_text_symbol(out, pool, file, symbol);
        else
                proto_text_file(out, pool, file);
        fclose(out);
        return text;
}

static void check_text(const file_proto *file, const char *symbol, const char *expected)
{
        char *text = text_of(file, symbol);

        assert_string_equal(text, expected);
        free(text);
}

static void add_comment(file_proto *file, const char *leading, const char *trailing)
{
        google_protobuf_SourceCodeInfo *info =
                google_protobuf_FileDescriptorProto_mutable_source_code_info(file, arena);
        google_protobuf_SourceCodeInfo_Location *location =
                google_protobuf_SourceCodeInfo_add_location(info, arena);

        google_protobuf_SourceCodeInfo_Location_add_path(location, 4, arena);
        google_protobuf_SourceCodeInfo_Location_add_path(location, 0, arena);
        google_protobuf_SourceCodeInfo_Location_set_leading_comments(location, view(leading));
        google_protobuf_SourceCodeInfo_Location_set_trailing_comments(location, view(trailing));
}

/* No line of a comment ends it, and none moves a cursor. */
static void comments_are_tame(void **state)
{
        file_proto *file = new_file("p", "proto3");

        (void)state;
        add_message(file, "M");
        add_comment(file,
                " a\r\n\x1b[2Jb */ message X {}\n\n\xc2\x9b"
                "1m\xe2\x80\xae\xff c",
                " one\rline\n");
        add_to_pool(file);
        check_text(file, NULL,
                "syntax = \"proto3\";\n\npackage p;\n\n// a \n//?[2Jb */ message X {}\n//\n//?1m?? "
                "c\n"
                "message M { // one?line\n}\n");
}

/* Fields refer to types in any way that upb takes. */
static void names_mean_the_type(void **state)
{
        file_proto *file = new_file("a.b", "proto3");
        message_proto *message = add_message(file, "M");
        int type = google_protobuf_FieldDescriptorProto_TYPE_MESSAGE;

        (void)state;
        add_field(message, "full", 1, type, ".a.b.N");
        add_field(message, "hidden", 2, type, ".a.b.M");
        add_field(message, "inner", 3, type, ".a.b.M.M");
        add_field(message, "deeper", 4, type, ".a.b.M.a");
        add_field(message, "without_a_dot", 5, type, "N");
        add_nested(message, "M");
        add_nested(message, "a");
        add_message(file, "N");
        add_to_pool(file);
        check_text(file, "a.b.M",
                "syntax = \"proto3\";\n\npackage a.b;\n\nmessage M {\n  N full = 1;\n"
                "  .a.b.M hidden = 2;\n  M inner = 3;\n  a deeper = 4;\n  N without_a_dot = 5;\n\n"
                "  message M {\n  }\n\n  message a {\n  }\n}\n");
}

/* Messages that groups make are where the groups are, also if their order is one that no text has. */
static void groups_out_of_order(void **state)
{
        file_proto *file = new_file("p", NULL);
        message_proto *message = add_message(file, "M");
        int type = google_protobuf_FieldDescriptorProto_TYPE_GROUP;

        (void)state;
        add_field(message, "first", 1, type, ".p.M.First");
        add_field(message, "second", 2, type, ".p.M.Second");
        add_nested(message, "Second");
        add_nested(message, "Plain");
        add_nested(message, "First");
        add_to_pool(file);
        check_text(file, NULL,
                "syntax = \"proto2\";\n\npackage p;\n\nmessage M {\n  message Plain {\n  }\n\n"
                "  optional group First = 1 {\n  }\n\n  optional group Second = 2 {\n  }\n}\n");
}

/* Strings come back from any bytes. */
static void defaults_are_escaped(void **state)
{
        file_proto *file = new_file("p", NULL);
        message_proto *message = add_message(file, "M");
        field_proto *text =
                add_field(message, "t", 1, google_protobuf_FieldDescriptorProto_TYPE_STRING, NULL);
        field_proto *blob =
                add_field(message, "b", 2, google_protobuf_FieldDescriptorProto_TYPE_BYTES, NULL);

        (void)state;
        google_protobuf_FieldDescriptorProto_set_default_value(
                text, view("\"; option x = 1; \\ \n\x1b \xc3\xbc"));
        google_protobuf_FieldDescriptorProto_set_default_value(blob, view("\\377 \" \\\" \\\\"));
        google_protobuf_FieldDescriptorProto_set_json_name(text, view("a\"\x1b"));
        add_to_pool(file);
        check_text(file, "p.M",
                "syntax = \"proto2\";\n\npackage p;\n\nmessage M {\n"
                "  optional string t = 1 [default = \"\\\"; option x = 1; \\\\ \\n\\033 "
                "\xc3\xbc\", "
                "json_name = \"a\\\"\\033\"];\n"
                "  optional bytes b = 2 [default = \"\\377 \\\" \\\" \\\\\"];\n}\n");
}

/* Each message has two of the next one: 2^40 of the last. */
static void a_template_is_bounded(void **state)
{
        enum { LEVELS = 40 };
        static char names[LEVELS + 1][8], types[LEVELS + 1][16];
        file_proto *file = new_file("p", "proto3");
        char *text = NULL;
        size_t size;
        FILE *out = open_memstream(&text, &size);

        (void)state;
        for (int i = 0; i <= LEVELS; i++) {
                snprintf(names[i], sizeof(names[i]), "M%d", i);
                snprintf(types[i], sizeof(types[i]), ".p.M%d", i + 1);
        }
        for (int i = 0; i <= LEVELS; i++) {
                message_proto *message = add_message(file, names[i]);
                int type = google_protobuf_FieldDescriptorProto_TYPE_MESSAGE;

                for (int j = 1; i < LEVELS && j <= 8; j++)
                        add_field(message,
                                (const char *[]){ "a", "b", "c", "d", "e", "f", "g", "h" }[j - 1],
                                j, type, types[i]);
        }
        add_to_pool(file);
        proto_template(out, upb_DefPool_FindMessageByName(pool, "p.M0"));
        fclose(out);
        assert_in_range(size, 1000, 4 << 20);
        assert_int_equal(text[size - 2], '}');
        free(text);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(comments_are_tame, setup, teardown),
                cmocka_unit_test_setup_teardown(names_mean_the_type, setup, teardown),
                cmocka_unit_test_setup_teardown(groups_out_of_order, setup, teardown),
                cmocka_unit_test_setup_teardown(defaults_are_escaped, setup, teardown),
                cmocka_unit_test_setup_teardown(a_template_is_bounded, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
