/* SPDX-License-Identifier: MIT */
#include <inttypes.h>

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
}

void enums_emit(struct unit *u)
{
        for (size_t i = 0; i < u->outline.n_enums; i++)
                enums_emit_one(u, u->outline.enums[i]);
}
