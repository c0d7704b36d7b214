/* SPDX-License-Identifier: MIT */
#include "shop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "schema/schema.h"

int shop_setup(void **state)
{
        return quoit_schema_new(&shop_file, 1, (quoit_schema **)state, NULL);
}

int shop_teardown(void **state)
{
        quoit_schema_free(*state);
        return 0;
}

const upb_MessageDef *shop_order(const quoit_schema *schema)
{
        const upb_MessageDef *type = NULL;

        assert_int_equal(schema_find(schema, shop_order_table, &type, NULL), 0);
        return type;
}

const char *shop_print(const quoit_schema *schema, const upb_Message *order, upb_Arena *arena)
{
        upb_StringView text;

        assert_int_equal(
                quoit_json_print(schema, order, shop_order_table, 0, arena, &text, NULL), 0);
        return text.data;
}
