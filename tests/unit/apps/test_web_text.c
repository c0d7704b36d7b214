/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "apps/quoit-web/text.h"

static upb_Arena *arena;
static struct text text;

static int setup(void **state)
{
        (void)state;
        arena = upb_Arena_New();
        text_init(&text, arena);
        return arena ? 0 : -1;
}

static int teardown(void **state)
{
        (void)state;
        upb_Arena_Free(arena);
        return 0;
}

static void assert_text(const char *wanted)
{
        assert_false(text.failed);
        assert_int_equal(text.size, strlen(wanted));
        assert_memory_equal(text.data, wanted, text.size);
}

static void test_it_grows(void **state)
{
        (void)state;
        assert_text("");
        for (unsigned i = 0; i < 10000; i++)
                text_addf(&text, "%u,", i % 10);
        assert_int_equal(text.size, 20000);
        for (unsigned i = 0; i < 10000; i++)
                assert_int_equal(text.data[2 * i], '0' + i % 10);
}

static void test_markup_is_escaped(void **state)
{
        (void)state;
        text_add_escaped(&text, upb_StringView_FromString("<a href=\"x\" id='y'>&amp;</a>"));
        assert_text("&lt;a href=&quot;x&quot; id=&#39;y&#39;&gt;&amp;amp;&lt;/a&gt;");
}

static void test_other_bytes_are_not(void **state)
{
        (void)state;
        text_add_escaped(
                &text, upb_StringView_FromString("Zo\303\253 \360\237\230\200 {{name}} \200"));
        assert_text("Zo\303\253 \360\237\230\200 {{name}} \200");
}

static void test_nul(void **state)
{
        (void)state;
        text_add_escaped(&text, upb_StringView_FromDataAndSize("a\0b", 3));
        assert_text("a&#65533;b");
}

static void test_a_template(void **state)
{
        const struct slot slots[] = {
                SLOT("name", upb_StringView_FromString("<{{html}}>")),
                SLOT_HTML("html", upb_StringView_FromString("<b>{{name}}</b>")),
                { 0 },
        };

        (void)state;
        /* what is filled in is not looked at again */
        text_add_filled(&text, "{{name}}-{{html}}-{{other}}-{{name}}.", slots);
        assert_text("&lt;{{html}}&gt;-<b>{{name}}</b>--&lt;{{html}}&gt;.");
}

static void test_a_template_with_nothing_to_fill(void **state)
{
        const struct slot none = { 0 };

        (void)state;
        text_add_filled(&text, "a { b } {{ c", &none);
        assert_text("a { b } {{ c");
}

static void test_without_memory(void **state)
{
        struct text poor;

        (void)state;
        text_init(&poor, NULL);
        text_add_string(&poor, "x");
        assert_true(poor.failed);
        assert_int_equal(poor.size, 0);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
        const struct CMUnitTest tests[] = {
                TEST(test_it_grows),
                TEST(test_markup_is_escaped),
                TEST(test_other_bytes_are_not),
                TEST(test_nul),
                TEST(test_a_template),
                TEST(test_a_template_with_nothing_to_fill),
                TEST(test_without_memory),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
