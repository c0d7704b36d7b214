/* SPDX-License-Identifier: MIT */
#include <inttypes.h>

#include "codec/plugin/types.h"
#include "codec/plugin/unit.h"

static void oneofs_emit_one(struct unit *u, const upb_OneofDef *o)
{
        const upb_FieldDef *first = upb_OneofDef_Field(o, 0);

        printer_set(&u->h, "oneof", names_of(u->names, upb_OneofDef_FullName(o)));
        printer_set(&u->h, "field", types_field(upb_FieldDef_MiniTable(first), u->arena));

        comments_emit(u->comments, &u->h, upb_OneofDef_FullName(o), 0);
        printer_emit(&u->h, "typedef enum {\n");
        for (int i = 0; i < upb_OneofDef_FieldCount(o); i++) {
                const upb_FieldDef *f = upb_OneofDef_Field(o, i);

                printer_printf(&u->h, "        %s = %" PRIu32 ",\n",
                        names_oneof_constant(u->names, o, f), upb_FieldDef_Number(f));
        }
        printer_emit(&u->h,
                "        $msg$_$oneof$_NOT_SET = 0,\n"
                "} $msg$_$oneof$_oneofcases;\n"
                "\n"
                "static inline $msg$_$oneof$_oneofcases $msg$_$oneof$_case(const $msg$ *msg)\n"
                "{\n"
                "        const upb_MiniTableField field = $field$;\n"
                "\n"
                "        return ($msg$_$oneof$_oneofcases)upb_Message_WhichOneofFieldNumber(\n"
                "                UPB_UPCAST(msg), &field);\n"
                "}\n"
                "\n"
                "static inline void $msg$_clear_$oneof$($msg$ *msg)\n"
                "{\n"
                "        const upb_MiniTableField field = $field$;\n"
                "\n"
                "        upb_Message_ClearOneof(UPB_UPCAST(msg), &$table$, &field);\n"
                "}\n"
                "\n");
}

void oneofs_emit(struct unit *u, const upb_MessageDef *m)
{
        for (int i = 0; i < upb_MessageDef_RealOneofCount(m); i++)
                oneofs_emit_one(u, upb_MessageDef_Oneof(m, i));
}
