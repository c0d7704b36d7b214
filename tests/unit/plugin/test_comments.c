/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "codec/plugin/comments.h"

/* A file `p` with enum E { V } and a comment at E.V, whose path is given by the test. */
struct fixture {
        upb_Arena *arena;
        google_protobuf_FileDescriptorProto *file;
        google_protobuf_SourceCodeInfo_Location *location;
        struct printer printer;
};

static int setup(void **state)
{
        upb_Arena *arena = memory_arena_new();
        struct fixture *f = memory_alloc(arena, sizeof(*f));
        google_protobuf_EnumDescriptorProto *e;
        google_protobuf_EnumValueDescriptorProto *v;

        f->arena = arena;
        f->file = google_protobuf_FileDescriptorProto_new(arena);
        google_protobuf_FileDescriptorProto_set_package(f->file, upb_StringView_FromString("p"));
        e = google_protobuf_FileDescriptorProto_add_enum_type(f->file, arena);
        google_protobuf_EnumDescriptorProto_set_name(e, upb_StringView_FromString("E"));
        v = google_protobuf_EnumDescriptorProto_add_value(e, arena);
        google_protobuf_EnumValueDescriptorProto_set_name(v, upb_StringView_FromString("V"));
        f->location = google_protobuf_SourceCodeInfo_add_location(
                google_protobuf_FileDescriptorProto_mutable_source_code_info(f->file, arena),
                arena);
        printer_init(&f->printer, arena);
        *state = f;
        return 0;
}

static int teardown(void **state)
{
        upb_Arena_Free(((struct fixture *)*state)->arena);
        return 0;
}

static void set_path(struct fixture *f, const int32_t *path, size_t n)
{
        int32_t *to = google_protobuf_SourceCodeInfo_Location_resize_path(f->location, n, f->arena);

        for (size_t i = 0; i < n; i++)
                to[i] = path[i];
}

#define PATH(f, ...) set_path(f, (int32_t[]){ __VA_ARGS__ }, sizeof((int32_t[]){ __VA_ARGS__ }) / 4)

static const char *emitted(struct fixture *f, const char *full_name, const char *text)
{
        google_protobuf_SourceCodeInfo_Location_set_leading_comments(
                f->location, upb_StringView_FromString(text));
        f->printer.size = 0;
        comments_emit(comments_new(f->file, f->arena), &f->printer, full_name, 2);
        return memory_copy(f->arena, f->printer.data, f->printer.size);
}

static void test_value_is_beside_its_enum(void **state)
{
        struct fixture *f = *state;

        PATH(f, 5, 0, 2, 0);
        assert_string_equal(emitted(f, "p.V", " text\n"), "  /* text */\n");
        assert_string_equal(emitted(f, "p.E.V", " text\n"), "");
        PATH(f, 5, 0);
        assert_string_equal(emitted(f, "p.E", "text"), "  /* text */\n");
}

static void test_what_would_end_the_comment(void **state)
{
        struct fixture *f = *state;

        PATH(f, 5, 0);
        assert_string_equal(emitted(f, "p.E", "a */ b"), "  /* a * / b */\n");
        assert_string_equal(emitted(f, "p.E", "/"), "  /* / */\n");
        assert_string_equal(
                emitted(f, "p.E", "/*/*/\n*/"), "  /*\n   * / * / * /\n   * * /\n   */\n");
        assert_string_equal(emitted(f, "p.E", "ends in a star *"), "  /* ends in a star * */\n");
        assert_string_equal(emitted(f, "p.E", "one\n\n two  \r\n\n"),
                "  /*\n   * one\n   *\n   * two\n   */\n");
}

/* Paths that lead nowhere, or to what has no name, are passed over. */
static void test_odd_paths(void **state)
{
        struct fixture *f = *state;
        const int32_t paths[][4] = {
                { 5, 1, 2, 0 },
                { 5, -1, 2, 0 },
                { 5, 0, 2, 7 },
                { 5, 0, 4, 0 },
                { 4, 0, 2, 0 },
                { 999, 0, 2, 0 },
                { 3, 0, 2, 0 },
                { 8, 0, 2, 0 },
                { -5, 0, 2, 0 },
                { 9, 0, 1, 0 },
        };

        for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++)
                for (size_t n = 3; n <= 4; n++) {
                        set_path(f, paths[i], n);
                        assert_string_equal(emitted(f, "p.V", "text"), "");
                        assert_string_equal(emitted(f, "p.E", "text"), "");
                }
        set_path(f, paths[0], 0);
        assert_string_equal(emitted(f, "p", "text"), "");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_value_is_beside_its_enum, setup, teardown),
                cmocka_unit_test_setup_teardown(test_what_would_end_the_comment, setup, teardown),
                cmocka_unit_test_setup_teardown(test_odd_paths, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
