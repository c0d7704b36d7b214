/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <quoit/json.h>
#include <quoit/text.h>

#include "growth.quoit.h"

/* What a message costs, and what no other language sees; tests/test_json.py has the rest. */

static const upb_MiniTable *const tree_type = &quoit_growth__Tree_msg_init;

static const char sample[] =
        "{\"wides\":[{\"f1\":\"1\",\"f8\":\"-2\"},{}],\"numbers\":[\"7\"],\"packed\":[\"8\",\"9\"],"
        "\"map\":{\"3\":{\"f2\":\"4\"}},\"texts\":[\"YWJj\",\"\"],\"tree\":{\"narrows\":[{}]},"
        "\"part\":[{\"wide\":{}}]}";

static int setup(void **state)
{
        static const quoit_file_descriptor *const files[] = { &growth_proto_quoit_file };

        return quoit_schema_new(files, 1, (quoit_schema **)state, NULL);
}

static int teardown(void **state)
{
        quoit_schema_free(*state);
        return 0;
}

static growth_Tree *parse(const quoit_schema *schema, const char *text, upb_Arena *arena)
{
        upb_Message *message;
        quoit_problem problem = { "" };
        int r = quoit_json_parse(
                schema, upb_StringView_FromString(text), tree_type, 0, arena, &message, &problem);

        assert_string_equal(problem.text, "");
        assert_int_equal(r, 0);
        return (growth_Tree *)message;
}

static void json_comes_back(void **state)
{
        upb_Arena *arena = upb_Arena_New();
        growth_Tree *tree = parse(*state, sample, arena);
        upb_StringView text;

        assert_int_equal(growth_Wide_f8(growth_Tree_wides(tree, NULL)[0]), -2);
        assert_int_equal(
                quoit_json_print(*state, UPB_UPCAST(tree), tree_type, 0, arena, &text, NULL), 0);
        assert_string_equal(text.data, sample);
        assert_int_equal(text.size, strlen(sample));
        upb_Arena_Free(arena);
}

/* What is printed at once, and what is not: at the border, each length. */
static void texts_of_all_lengths_are_whole(void **state)
{
        upb_Arena *arena = upb_Arena_New();
        growth_Tree *tree = growth_Tree_new(arena);
        char bytes[3100];

        memset(bytes, 0, sizeof(bytes));
        for (size_t n = 3000; n < sizeof(bytes); n++) {
                upb_StringView json, text;
                size_t size;

                upb_StringView *texts = growth_Tree_resize_texts(tree, 1, arena);

                texts[0] = upb_StringView_FromDataAndSize(bytes, n);
                assert_int_equal(quoit_json_print(*state, UPB_UPCAST(tree), tree_type, 0, arena,
                                         &json, NULL),
                        0);
                assert_int_equal(json.size, strlen("{\"texts\":[\"\"]}") + (n + 2) / 3 * 4);
                assert_int_equal(strlen(json.data), json.size);
                texts[0].size = n - 2000;
                assert_int_equal(quoit_text_print(*state, UPB_UPCAST(tree), tree_type, 0, arena,
                                         &text, NULL),
                        0);
                size = strlen("texts: \"\"\n") + (n - 2000) * strlen("\\000");
                assert_int_equal(text.size, size);
                assert_int_equal(strlen(text.data), size);
        }
        upb_Arena_Free(arena);
}

/* ---- bounds ---- */

static char *many_messages(size_t n)
{
        char *text = malloc(n * 3 + 20), *p = text;

        assert_non_null(text);
        p += sprintf(p, "{\"wides\":[");
        for (size_t i = 0; i < n; i++, p += 3)
                memcpy(p, i ? ",{}" : " {}", 3);
        memcpy(p, "]}", 3);
        return text;
}

static int parse_within(const quoit_schema *schema, const char *text, quoit_budget *budget)
{
        upb_Arena *arena = upb_Arena_New();
        upb_Message *message = NULL;
        quoit_problem problem = { "" };
        int r;

        if (budget)
                upb_Arena_SetBudget(arena, &budget->upb);
        r = quoit_json_parse(
                schema, upb_StringView_FromString(text), tree_type, 0, arena, &message, &problem);
        assert_true(!r == !!message);
        assert_true(r == 0 || strstr(problem.text, "budget"));
        assert_true(budget || !upb_Arena_GetBudget(arena));
        upb_Arena_Free(arena);
        return r;
}

static void a_document_takes_no_more_than_its_budget(void **state)
{
        char *text = many_messages(100000);
        quoit_budget budget;

        quoit_budget_init(&budget, 1 << 20);
        assert_int_equal(parse_within(*state, text, &budget), -ENOMEM);
        assert_true(budget.exceeded);
        quoit_budget_init(&budget, 256 << 20);
        assert_int_equal(parse_within(*state, text, &budget), 0);
        free(text);
}

/* 3 bytes become more than a thousand: 64 for each byte are allowed, and 32 MiB. */
static void without_a_budget_there_is_one(void **state)
{
        size_t wide = quoit_growth__Wide_msg_init.QUOIT_UPB_PRIVATE(size);
        char *text = many_messages(200000);

        assert_true(200000 * wide > 2 * quoit_parse_bytes_max(strlen(text)));
        assert_int_equal(parse_within(*state, text, NULL), -ENOMEM);
        free(text);
}

/* @n empty messages below @depth others: 2 bytes on the wire, 4 * @depth and some in a text. */
static char *deep_messages(size_t depth, size_t n)
{
        char *text = malloc(depth * 9 + n * 3 + 32), *p = text;

        for (size_t i = 0; i < depth; i++)
                p += sprintf(p, "{\"tree\":");
        p += sprintf(p, "{\"narrows\":[");
        for (size_t i = 0; i < n; i++, p += 3)
                memcpy(p, i ? ",{}" : " {}", 3);
        p += sprintf(p, "]}");
        memset(p, '}', depth);
        p[depth] = 0;
        return text;
}

static void a_text_takes_no_more_than_its_budget(void **state)
{
        upb_Arena *arena = upb_Arena_New();
        char *document = deep_messages(50, 2000);
        growth_Tree *tree = parse(*state, document, arena);
        upb_StringView text = { NULL, 0 };

        for (int is_json = 0; is_json < 2; is_json++) {
                typeof(quoit_text_print) *print = is_json ? quoit_json_print : quoit_text_print;
                size_t need = is_json ? 2000 * 3 : (size_t)2000 * 200;

                for (int is_enough = 0; is_enough < 2; is_enough++) {
                        upb_Arena *bounded = upb_Arena_New();
                        quoit_problem problem = { "" };
                        quoit_budget budget;
                        int r;

                        quoit_budget_init(&budget, is_enough ? 2 * need : need / 2);
                        upb_Arena_SetBudget(bounded, &budget.upb);
                        r = print(*state, UPB_UPCAST(tree), tree_type, 0, bounded, &text, &problem);
                        assert_int_equal(r, is_enough ? 0 : -ENOMEM);
                        assert_int_equal(budget.exceeded, !is_enough);
                        assert_true(is_enough || strstr(problem.text, "budget"));
                        upb_Arena_Free(bounded);
                }
        }
        upb_Arena_Free(arena);
        free(document);
}

/* 400 KB on the wire would be 42 MB of text; a string that is as long honestly is printed. */
static void a_text_without_a_budget_has_a_bound(void **state)
{
        upb_Arena *arena = upb_Arena_New();
        char *document = deep_messages(50, 200000);
        growth_Tree *tree = parse(*state, document, arena);
        upb_StringView text = { document, 0 };
        size_t size = quoit_parse_bytes_max(0) + 1;

        assert_int_equal(
                quoit_text_print(*state, UPB_UPCAST(tree), tree_type, 0, arena, &text, NULL),
                -ENOMEM);
        assert_ptr_equal(text.data, document);
        assert_int_equal(
                quoit_json_print(*state, UPB_UPCAST(tree), tree_type, 0, arena, &text, NULL), 0);
        tree = growth_Tree_new(arena);
        assert_true(growth_Tree_add_texts(tree,
                upb_StringView_FromDataAndSize(
                        memset(upb_Arena_Malloc(arena, size), 'x', size), size),
                arena));
        assert_int_equal(
                quoit_text_print(*state, UPB_UPCAST(tree), tree_type, 0, arena, &text, NULL), 0);
        assert_true(text.size > size);
        upb_Arena_Free(arena);
        free(document);
}

/* malloc that fails from the @left-th time on. */
struct failing {
        upb_alloc alloc;
        size_t left;
};

static void *allocate(upb_alloc *alloc, void *block, size_t old_size, size_t size, size_t *actual)
{
        struct failing *failing = (struct failing *)alloc;

        (void)old_size;
        if (!size) {
                free(block);
                return NULL;
        }
        if (!failing->left)
                return NULL;
        failing->left--;
        if (actual)
                *actual = size;
        return realloc(block, size);
}

static void memory_may_be_short_anywhere(void **state)
{
        static char room[64];
        int n_failed = 0, n_parsed = 0;

        /* In steps of a word, as blocks are large: the first has room for that much. */
        for (size_t size = 256; size < 32768; size += 8) {
                struct failing failing = { { allocate }, 0 };
                char *block = malloc(size);
                upb_Arena *arena = upb_Arena_Init(block, size, &failing.alloc);
                upb_Message *message = (upb_Message *)room;
                quoit_problem problem;
                int r = quoit_json_parse(*state, upb_StringView_FromString(sample), tree_type, 0,
                        arena, &message, &problem);

                if (r == 0) {
                        upb_StringView text = { room, 0 };

                        n_parsed++;
                        r = quoit_json_print(*state, message, tree_type, 0, arena, &text, &problem);
                        assert_true(r == -ENOMEM || r == 0);
                        assert_true(r == 0 || text.data == room);
                        r = quoit_text_print(*state, message, tree_type, 0, arena, &text, &problem);
                        assert_true(r == -ENOMEM || r == 0);
                } else {
                        n_failed++;
                        assert_int_equal(r, -ENOMEM);
                        assert_ptr_equal(message, room);
                }
                upb_Arena_Free(arena);
                free(block);
        }
        assert_true(n_failed > 20);
        assert_true(n_parsed > 20);
}

/* ---- what JSON cannot say ---- */

static void assert_names(
        const quoit_schema *schema, growth_Tree *tree, upb_Arena *arena, const char *expected)
{
        quoit_problem problem = { "" };
        upb_StringView text;
        int r = quoit_json_print(schema, UPB_UPCAST(tree), tree_type, 0, arena, &text, &problem);

        assert_int_equal(r, -EINVAL);
        assert_string_equal(problem.text, expected);
}

/* Strings of proto2 may be any bytes. */
static void a_string_that_is_not_utf8_is_named(void **state)
{
        upb_StringView good = upb_StringView_FromString("good"),
                       bad = upb_StringView_FromString("ab\xc3\x28");
        upb_Arena *arena = upb_Arena_New();
        growth_Tree *tree = growth_Tree_new(arena), *inner = growth_Tree_mutable_tree(tree, arena);

        growth_Tree_words_set(tree, good, good, arena);
        growth_Tree_words_set(inner, good, bad, arena);
        assert_names(*state, tree, arena, "the string growth.Tree.WordsEntry.value is not UTF-8");
        growth_Tree_words_clear(inner);
        growth_Tree_words_set(inner, bad, good, arena);
        assert_names(*state, tree, arena, "the string growth.Tree.WordsEntry.key is not UTF-8");
        upb_Arena_Free(arena);
}

/* ---- what is around it ---- */

static void *parse_often(void *schema)
{
        for (int i = 0; i < 300; i++) {
                upb_Arena *arena = upb_Arena_New();
                upb_StringView text;
                growth_Tree *tree = parse(schema, sample, arena);

                assert_int_equal(quoit_json_print(schema, UPB_UPCAST(tree), tree_type, 0, arena,
                                         &text, NULL),
                        0);
                assert_string_equal(text.data, sample);
                assert_int_equal(quoit_text_print(schema, UPB_UPCAST(tree), tree_type, 0, arena,
                                         &text, NULL),
                        0);
                upb_Arena_Free(arena);
        }
        return NULL;
}

static void threads_share_a_schema(void **state)
{
        pthread_t threads[4];

        for (int i = 0; i < 4; i++)
                assert_int_equal(pthread_create(&threads[i], NULL, parse_often, *state), 0);
        for (int i = 0; i < 4; i++)
                assert_int_equal(pthread_join(threads[i], NULL), 0);
}

static void an_arena_has_its_budget_back(void **state)
{
        upb_Arena *arena = upb_Arena_New();
        quoit_budget budget;

        quoit_budget_init(&budget, 1 << 20);
        upb_Arena_SetBudget(arena, &budget.upb);
        (void)parse(*state, sample, arena);
        assert_ptr_equal(upb_Arena_GetBudget(arena), &budget.upb);
        upb_Arena_SetBudget(arena, NULL);
        (void)parse(*state, sample, arena);
        assert_null(upb_Arena_GetBudget(arena));
        upb_Arena_Free(arena);
}

static void text_is_printed_as_people_read_it(void **state)
{
        upb_Arena *arena = upb_Arena_New();
        growth_Tree *tree = parse(*state,
                "{\"texts\":[\"YWIA\"],\"map\":{\"30\":{},\"-1\":{\"f1\":5},\"2\":{}},\"tree\":{}}",
                arena);
        upb_StringView text;

        assert_int_equal(
                quoit_text_print(*state, UPB_UPCAST(tree), tree_type, 0, arena, &text, NULL), 0);
        assert_string_equal(text.data, "map {\n  key: 2\n  value {\n  }\n}\n"
                                       "map {\n  key: 30\n  value {\n  }\n}\n"
                                       "map {\n  key: -1\n  value {\n    f1: 5\n  }\n}\n"
                                       "texts: \"ab\\000\"\n"
                                       "tree {\n}\n");
        assert_int_equal(quoit_text_print(*state, UPB_UPCAST(growth_Tree_tree(tree)), tree_type,
                                 QUOIT_TEXT_ONE_LINE, arena, &text, NULL),
                0);
        assert_string_equal(text.data, "");
        upb_Arena_Free(arena);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(json_comes_back),
                cmocka_unit_test(texts_of_all_lengths_are_whole),
                cmocka_unit_test(a_document_takes_no_more_than_its_budget),
                cmocka_unit_test(without_a_budget_there_is_one),
                cmocka_unit_test(a_text_takes_no_more_than_its_budget),
                cmocka_unit_test(a_text_without_a_budget_has_a_bound),
                cmocka_unit_test(memory_may_be_short_anywhere),
                cmocka_unit_test(a_string_that_is_not_utf8_is_named),
                cmocka_unit_test(threads_share_a_schema),
                cmocka_unit_test(an_arena_has_its_budget_back),
                cmocka_unit_test(text_is_printed_as_people_read_it),
        };

        return cmocka_run_group_tests(tests, setup, teardown);
}
