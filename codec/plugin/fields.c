/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "codec/plugin/types.h"
#include "codec/plugin/unit.h"

static void fields_emit_get(struct unit *u)
{
        printer_emit(&u->h, "static inline $const_type$$msg$_$name$(const $msg$ *msg)\n"
                            "{\n"
                            "        const upb_MiniTableField field = $field$;\n"
                            "        $const_type$default_val = $default$;\n"
                            "        $const_type$ret;\n"
                            "\n"
                            "        _upb_Message_GetNonExtensionField(UPB_UPCAST(msg), &field, "
                            "&default_val, &ret);\n"
                            "        return ret;\n"
                            "}\n"
                            "\n");
}

static void fields_emit_has(struct unit *u)
{
        printer_emit(&u->h, "static inline bool $msg$_has_$name$(const $msg$ *msg)\n"
                            "{\n"
                            "        const upb_MiniTableField field = $field$;\n"
                            "\n"
                            "        return upb_Message_HasBaseField(UPB_UPCAST(msg), &field);\n"
                            "}\n"
                            "\n");
}

static void fields_emit_set(struct unit *u)
{
        printer_emit(&u->h, "static inline void $msg$_set_$name$($msg$ *msg, $type$value)\n"
                            "{\n"
                            "        const upb_MiniTableField field = $field$;\n"
                            "\n"
                            "        upb_Message_SetBaseField(UPB_UPCAST(msg), &field, &value);\n"
                            "}\n"
                            "\n");
}

static void fields_emit_mutable(struct unit *u)
{
        printer_emit(&u->h,
                "static inline $type$$msg$_mutable_$name$($msg$ *msg, upb_Arena *arena)\n"
                "{\n"
                "        const upb_MiniTableField field = $field$;\n"
                "        $type$sub = ($type$)upb_Message_GetMutableMessage(UPB_UPCAST(msg), "
                "&field);\n"
                "\n"
                "        if (!sub) {\n"
                "                sub = ($type$)quoit_message_new(&$sub_table$, arena);\n"
                "                if (sub)\n"
                "                        $msg$_set_$name$(msg, sub);\n"
                "        }\n"
                "        return sub;\n"
                "}\n"
                "\n");
}

static void fields_emit_clear(struct unit *u)
{
        printer_emit(&u->h, "static inline void $msg$_clear_$name$($msg$ *msg)\n"
                            "{\n"
                            "        const upb_MiniTableField field = $field$;\n"
                            "\n"
                            "        upb_Message_ClearBaseField(UPB_UPCAST(msg), &field);\n"
                            "}\n"
                            "\n");
}

static void fields_emit_singular(struct unit *u, const upb_FieldDef *f)
{
        printer_set(&u->h, "default", types_default(f, u->arena));
        fields_emit_get(u);
        if (upb_FieldDef_HasPresence(f))
                fields_emit_has(u);
        fields_emit_set(u);
        if (upb_FieldDef_IsSubMessage(f))
                fields_emit_mutable(u);
}

static void fields_emit_one(struct unit *u, const upb_FieldDef *f)
{
        const char *full_name = upb_FieldDef_FullName(f);

        printer_set(&u->h, "name", names_of(u->names, full_name));
        printer_set(&u->h, "type", types_of(u->names, f, u->arena));
        printer_set(&u->h, "const_type", types_of_const(u->names, f, u->arena));
        printer_set(&u->h, "field", types_field(upb_FieldDef_MiniTable(f), u->arena));
        if (upb_FieldDef_IsSubMessage(f))
                printer_set(&u->h, "sub_table",
                        types_message_table(u->names, upb_FieldDef_MessageSubDef(f), u->arena));

        comments_emit(u->comments, &u->h, full_name, 0);
        if (upb_FieldDef_IsMap(f))
                maps_emit(u, f);
        else if (upb_FieldDef_IsRepeated(f))
                repeated_emit(u, f);
        else
                fields_emit_singular(u, f);
        fields_emit_clear(u);
}

static int fields_compare(const void *a, const void *b)
{
        uint32_t x = upb_FieldDef_Number(*(const upb_FieldDef *const *)a);
        uint32_t y = upb_FieldDef_Number(*(const upb_FieldDef *const *)b);

        return x < y ? -1 : x > y;
}

/* In the order of their numbers. */
void fields_emit(struct unit *u, const upb_MessageDef *m)
{
        size_t n = (size_t)upb_MessageDef_FieldCount(m);
        const upb_FieldDef **fields = memory_alloc(u->arena, (n + 1) * sizeof(*fields));

        for (size_t i = 0; i < n; i++)
                fields[i] = upb_MessageDef_Field(m, (int)i);
        qsort(fields, n, sizeof(*fields), fields_compare);
        for (size_t i = 0; i < n; i++)
                fields_emit_one(u, fields[i]);
}
