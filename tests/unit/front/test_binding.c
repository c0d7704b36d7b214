/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "front/binding.h"
#include "schema/schema.h"
#include "shop.h"

/* Binds "path=value" of each of @pairs, up to NULL. The order as JSON, or why it was refused. In @arena. */
static const char *bind(const quoit_schema *schema, const char *const *pairs, upb_Arena *arena)
{
        static quoit_problem problem;
        upb_Message *order = upb_Message_New(shop_order_table, arena);

        for (; *pairs; pairs++) {
                const char *equals = strchr(*pairs, '=');
                struct field_path path;
                int r = field_path_find(&path, shop_order(schema),
                        upb_StringView_FromDataAndSize(*pairs, (size_t)(equals - *pairs)),
                        &problem);

                if (r == 0)
                        r = binding_set(order, &path, upb_StringView_FromString(equals + 1),
                                schema_pool(schema), arena, &problem);
                if (r < 0)
                        return problem.text;
        }
        return shop_print(schema, order, arena);
}

static void test_values(void **state)
{
        static const struct {
                const char *pairs[4];
                const char *json;
        } cases[] = {
                { { "name=x y" }, "{\"name\":\"x y\"}" },
                { { "name=a", "name=b" }, "{\"name\":\"b\"}" },
                { { "name=" }, "{}" },
                { { "maybe=" }, "{\"maybe\":\"\"}" },
                { { "i32=-2147483648" }, "{\"i32\":-2147483648}" },
                { { "i32=2147483647" }, "{\"i32\":2147483647}" },
                { { "i64=-9223372036854775808" }, "{\"i64\":\"-9223372036854775808\"}" },
                { { "i64=9223372036854775807" }, "{\"i64\":\"9223372036854775807\"}" },
                { { "u32=4294967295" }, "{\"u32\":4294967295}" },
                { { "u64=18446744073709551615" }, "{\"u64\":\"18446744073709551615\"}" },
                { { "f=1.5" }, "{\"f\":1.5}" },
                { { "f=-Infinity" }, "{\"f\":\"-Infinity\"}" },
                { { "d=1e300" }, "{\"d\":1e+300}" },
                { { "d=NaN" }, "{\"d\":\"NaN\"}" },
                { { "yes=true" }, "{\"yes\":true}" },
                { { "yes=true", "yes=false" }, "{}" },
                { { "colour=COLOUR_RED" }, "{\"colour\":\"COLOUR_RED\"}" },
                { { "colour=1" }, "{\"colour\":\"COLOUR_RED\"}" },
                { { "colour=-7" }, "{\"colour\":-7}" },
                { { "data=-_8=" }, "{\"data\":\"+/8=\"}" },
                { { "data=-_8" }, "{\"data\":\"+/8=\"}" },
                { { "data=+/8=" }, "{\"data\":\"+/8=\"}" },
                { { "data= /8=" }, "{\"data\":\"+/8=\"}" },
                { { "inner.text=a", "inner.numbers=1", "inner.numbers=-2" },
                        "{\"inner\":{\"text\":\"a\",\"numbers\":[1,-2]}}" },
                { { "inner.inner.text=a", "name=b", "inner.text=c" },
                        "{\"name\":\"b\",\"inner\":{\"text\":\"c\",\"inner\":{\"text\":\"a\"}}}" },
                { { "tags=a", "i32=1", "tags=b" }, "{\"i32\":1,\"tags\":[\"a\",\"b\"]}" },
                { { "colours=1", "colours=COLOUR_NONE" },
                        "{\"colours\":[\"COLOUR_RED\",\"COLOUR_NONE\"]}" },
                { { "at=2024-02-29T12:00:00.5Z" }, "{\"at\":\"2024-02-29T12:00:00.500Z\"}" },
                { { "at.seconds=1" }, "{\"at\":\"1970-01-01T00:00:01Z\"}" },
                { { "wait=1.5s" }, "{\"wait\":\"1.500s\"}" },
                { { "mask=a,b.cD" }, "{\"mask\":\"a,b.cD\"}" },
                { { "wrapped=-5" }, "{\"wrapped\":\"-5\"}" },
                { { "wrapped=0" }, "{\"wrapped\":\"0\"}" },
                { { "wrappedText=\"x\"" }, "{\"wrappedText\":\"\\\"x\\\"\"}" },
                { { "wrapped_text=" }, "{\"wrappedText\":\"\"}" },
                { { "wrapped_bool=true" }, "{\"wrappedBool\":true}" },
                { { "wrapped_many=1", "wrapped_many=2" }, "{\"wrappedMany\":[1,2]}" },
                { { "left=a", "right=2" }, "{\"right\":2}" },
                { { "right=2", "left=a" }, "{\"left\":\"a\"}" },
                { { "search[field.x]=a" }, "{\"search[field.x]\":\"a\"}" },
                { { "odd_name=a" }, "{\"search[field.x]\":\"a\"}" },
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
                upb_Arena *arena = upb_Arena_New();

                assert_string_equal(bind(*state, cases[i].pairs, arena), cases[i].json);
                upb_Arena_Free(arena);
        }
}

static void test_what_is_refused(void **state)
{
        static const struct {
                const char *pair, *problem;
        } cases[] = {
                { "i32=2147483648", "\"2147483648\" is no value of the field shop.Order.i32" },
                { "i32=-2147483649", NULL },
                { "i32=", NULL },
                { "i32=-", NULL },
                { "i32=+1", NULL },
                { "i32= 1", NULL },
                { "i32=1.0", NULL },
                { "i32=0x1", NULL },
                { "i64=9223372036854775808", NULL },
                { "i64=-9223372036854775809", NULL },
                { "u32=-1", NULL },
                { "u32=4294967296", NULL },
                { "u64=18446744073709551616", NULL },
                { "f=1e39", NULL },
                { "f=-1e39", NULL },
                { "f=inf", NULL },
                { "f=0x1", NULL },
                { "f= 1", NULL },
                { "f=1x", NULL },
                { "f=", NULL },
                { "d=1e309", NULL },
                { "d=nan", NULL },
                { "d=1111111111111111111111111111111111111111111111111111111111111111", NULL },
                { "yes=1", NULL },
                { "yes=True", NULL },
                { "yes=", NULL },
                { "colour=RED", NULL },
                { "colour=2147483648", NULL },
                { "data=*", NULL },
                { "data=a", NULL },
                { "name=\xff", NULL },
                { "at=yesterday", NULL },
                { "at=2024-02-30T00:00:00Z\",\"", NULL },
                { "wait=1", NULL },
                { "mask=a_b", NULL },
                { "wrapped=x", NULL },
                { "nothing=1", "shop.Order has no field \"nothing\"" },
                { "inner.nothing=1", "shop.Order has no field" },
                { "=1", "has no field \"\"" },
                { "inner.=1", "has no field" },
                { ".name=1", "has no field" },
                { "name.=1", "\"name.\": shop.Order.name is not a single message" },
                { "name.x=1", "is not a single message" },
                { "inners.text=1", "is not a single message" },
                { "labels.key=1", "is a map, which has no place in a URL" },
                { "inner=1",
                        "the field shop.Order.inner is a message, which has no place in a URL" },
                { "inners=1", "which has no place in a URL" },
                { "labels=1", "the field shop.Order.labels is a map, which has no place in a URL" },
                { "inner.inner.inner.inner.inner.inner.inner.inner.inner.inner.inner.inner.inner."
                  "inner.inner.inner.text=1",
                        "is too deep" },
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
                upb_Arena *arena = upb_Arena_New();
                const char *pairs[] = { cases[i].pair, NULL };
                const char *said = bind(*state, pairs, arena);

                if (!strstr(said,
                            cases[i].problem ? cases[i].problem : " is no value of the field "))
                        fail_msg("%s: %s", cases[i].pair, said);
                upb_Arena_Free(arena);
        }
}

static void test_places(void **state)
{
        struct field_path inner, text, name;
        const upb_MessageDef *type = shop_order(*state);

        assert_int_equal(
                field_path_find(&inner, type, upb_StringView_FromString("inner"), NULL), 0);
        assert_int_equal(
                field_path_find(&text, type, upb_StringView_FromString("inner.text"), NULL), 0);
        assert_int_equal(field_path_find(&name, type, upb_StringView_FromString("name"), NULL), 0);
        assert_true(field_path_is_in(&text, &inner));
        assert_true(field_path_is_in(&text, &text));
        assert_false(field_path_is_in(&inner, &text));
        assert_false(field_path_is_in(&name, &inner));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_values),
                cmocka_unit_test(test_what_is_refused),
                cmocka_unit_test(test_places),
        };

        return cmocka_run_group_tests(tests, shop_setup, shop_teardown);
}
