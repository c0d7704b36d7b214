/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <quoit/json.h>
#include <quoit/text.h>

#include "growth.quoit.h"
#include "schema/schema.h"

static const quoit_file_descriptor *const growth[] = { &growth_proto_quoit_file };

static void no_files_are_a_schema_too(void **state)
{
        quoit_schema *schema = NULL;

        (void)state;
        assert_int_equal(quoit_schema_new(NULL, 0, &schema, NULL), 0);
        assert_non_null(schema);
        quoit_schema_free(schema);
        quoit_schema_free(NULL);
}

static void a_file_may_be_named_twice(void **state)
{
        const quoit_file_descriptor *const files[] = { growth[0], growth[0] };
        quoit_schema *schema;

        (void)state;
        assert_int_equal(quoit_schema_new(files, 2, &schema, NULL), 0);
        quoit_schema_free(schema);
}

static void check_refused(
        const quoit_file_descriptor *const *files, size_t count, int error, const char *what)
{
        quoit_schema *schema = (quoit_schema *)&schema;
        quoit_problem problem;

        assert_int_equal(quoit_schema_new(files, count, &schema, &problem), error);
        assert_ptr_equal(schema, &schema);
        assert_non_null(strstr(problem.text, what));
        assert_int_equal(quoit_schema_new(files, count, &schema, NULL), error);
}

static void two_files_of_one_name_are_refused(void **state)
{
        const quoit_file_descriptor other = *growth[0];
        const quoit_file_descriptor *const files[] = { growth[0], &other };

        (void)state;
        check_refused(files, 2, -EEXIST, "growth.proto");
}

/* Another name, the same messages. */
static quoit_file_descriptor with_another_name(void)
{
        static char bytes[65536];
        quoit_file_descriptor other = *growth[0];

        assert_true(other.size < sizeof(bytes));
        memcpy(bytes, other.bytes, other.size);
        assert_memory_equal(bytes, "\x0a\x0cgrowth.proto", 14);
        bytes[2] = 'G';
        other.name = "Growth.proto";
        other.bytes = bytes;
        return other;
}

static void what_is_defined_twice_is_refused(void **state)
{
        const quoit_file_descriptor other = with_another_name();
        const quoit_file_descriptor *const files[] = { growth[0], &other };

        (void)state;
        check_refused(files, 2, -EEXIST, "duplicate symbol");
}

static void a_spare_file_gives_way(void **state)
{
        const quoit_file_descriptor same = *growth[0], other = with_another_name();
        const quoit_file_descriptor *const spares[] = { NULL, growth[0], &same, &other };

        (void)state;
        for (size_t i = 0; i < 4; i++) {
                quoit_schema *schema;

                assert_int_equal(schema_new_with(growth, 1, spares[i], &schema, NULL), 0);
                assert_non_null(upb_DefPool_FindFileByName(schema_pool(schema), "growth.proto"));
                assert_null(upb_DefPool_FindFileByName(schema_pool(schema), "Growth.proto"));
                quoit_schema_free(schema);
        }
        for (size_t i = 1; i < 4; i++) {
                quoit_schema *schema;

                assert_int_equal(schema_new_with(NULL, 0, spares[i], &schema, NULL), 0);
                assert_non_null(upb_DefPool_FindFileByName(schema_pool(schema), spares[i]->name));
                quoit_schema_free(schema);
        }
}

static void a_broken_descriptor_is_refused(void **state)
{
        quoit_file_descriptor broken = *growth[0];
        const quoit_file_descriptor *const files[] = { &broken };

        (void)state;
        broken.size--;
        check_refused(files, 1, -EINVAL, "growth.proto");
}

/* A type is found by its table, wherever its file came from, and no other is. */
static void a_type_of_no_file_is_an_error(void **state)
{
        upb_Arena *arena = upb_Arena_New();
        growth_Tree *tree = growth_Tree_new(arena);
        const upb_MiniTable *table = &quoit_growth__Tree_msg_init;
        upb_StringView text = upb_StringView_FromString("{}"), out = text;
        upb_Message *message = NULL;
        quoit_problem problem;
        quoit_schema *schema;

        (void)state;
        assert_int_equal(quoit_schema_new(NULL, 0, &schema, NULL), 0);
        assert_int_equal(
                quoit_json_print(schema, UPB_UPCAST(tree), table, 0, arena, &out, &problem),
                -ENOENT);
        assert_int_equal(
                quoit_text_print(schema, UPB_UPCAST(tree), table, 0, arena, &out, NULL), -ENOENT);
        assert_int_equal(
                quoit_json_parse(schema, text, table, 0, arena, &message, &problem), -ENOENT);
        assert_non_null(strstr(problem.text, "no file in the schema"));
        assert_ptr_equal(out.data, text.data);
        assert_null(message);
        quoit_schema_free(schema);
        upb_Arena_Free(arena);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(no_files_are_a_schema_too),
                cmocka_unit_test(a_file_may_be_named_twice),
                cmocka_unit_test(two_files_of_one_name_are_refused),
                cmocka_unit_test(what_is_defined_twice_is_refused),
                cmocka_unit_test(a_spare_file_gives_way),
                cmocka_unit_test(a_broken_descriptor_is_refused),
                cmocka_unit_test(a_type_of_no_file_is_an_error),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
