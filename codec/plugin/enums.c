/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdlib.h>

#include "codec/plugin/spelling.h"
#include "codec/plugin/unit.h"

static void enums_emit_one(struct unit *u, const upb_EnumDef *e)
{
        const char *full_name = upb_EnumDef_FullName(e);

        comments_emit(u->comments, &u->h, full_name, 0);
        printer_printf(&u->h, "typedef enum {\n");
        for (int i = 0; i < upb_EnumDef_ValueCount(e); i++) {
                const upb_EnumValueDef *value = upb_EnumDef_Value(e, i);
                const char *value_name = upb_EnumValueDef_FullName(value);

                comments_emit(u->comments, &u->h, value_name, 8);
                printer_printf(&u->h, "        %s = %" PRId32 ",\n", names_of(u->names, value_name),
                        upb_EnumValueDef_Number(value));
        }
        printer_printf(&u->h, "} %s;\n\n", names_of(u->names, full_name));
        printer_set(&u->h, "enum", names_of(u->names, full_name));
        printer_set(&u->h, "symbol", names_symbol(u->names, u->file, full_name));
        printer_emit(&u->h, "extern const quoit_enum_names $symbol$_names;\n"
                            "\n"
                            "static inline const char *$enum$_value_name(int32_t value)\n"
                            "{\n"
                            "        return quoit_enum_value_name(&$symbol$_names, value);\n"
                            "}\n"
                            "\n");
}

void enums_emit(struct unit *u)
{
        for (size_t i = 0; i < u->outline.n_enums; i++)
                enums_emit_one(u, u->outline.enums[i]);
}

/* ---- names of values -------------------------------------------------------------------------- */

/* By number; values with the same number in the order of the file. */
static int enums_compare(const void *a, const void *b)
{
        const upb_EnumValueDef *x = *(const upb_EnumValueDef *const *)a;
        const upb_EnumValueDef *y = *(const upb_EnumValueDef *const *)b;
        int32_t i = upb_EnumValueDef_Number(x), j = upb_EnumValueDef_Number(y);

        if (i != j)
                return i < j ? -1 : 1;
        return upb_EnumValueDef_Index(x) < upb_EnumValueDef_Index(y) ? -1 : 1;
}

static void enums_emit_names(struct unit *u, const upb_EnumDef *e)
{
        size_t n = (size_t)upb_EnumDef_ValueCount(e), n_names = 0;
        const upb_EnumValueDef **values = memory_alloc(u->arena, n * sizeof(*values));

        for (size_t i = 0; i < n; i++)
                values[i] = upb_EnumDef_Value(e, (int)i);
        qsort(values, n, sizeof(*values), enums_compare);
        printer_set(&u->c, "symbol", names_symbol(u->names, u->file, upb_EnumDef_FullName(e)));
        printer_emit(&u->c, "static const quoit_enum_name $symbol$_name_list[] = {\n");
        for (size_t i = 0; i < n; i++) {
                int32_t number = upb_EnumValueDef_Number(values[i]);

                if (i && number == upb_EnumValueDef_Number(values[i - 1]))
                        continue;
                printer_printf(&u->c, "        { %s, \"%s\" },\n",
                        number == INT32_MIN ? "INT32_MIN"
                                            : memory_format(u->arena, "%" PRId32, number),
                        upb_EnumValueDef_Name(values[i]));
                n_names++;
        }
        printer_emit(&u->c, "};\n"
                            "\n"
                            "QUOIT_TABLE const quoit_enum_names $symbol$_names = { "
                            "$symbol$_name_list, ");
        printer_printf(&u->c, "%zu };\n\n", n_names);
}

void enums_emit_tables(struct unit *u)
{
        for (size_t i = 0; i < u->outline.n_enums; i++)
                enums_emit_names(u, u->outline.enums[i]);
}
