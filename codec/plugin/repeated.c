/* SPDX-License-Identifier: MIT */
#include "codec/plugin/unit.h"

static void repeated_emit_get(struct unit *u)
{
        printer_emit(&u->h,
                "static inline $const_type$const *$msg$_$name$(const $msg$ *msg, size_t *size)\n"
                "{\n"
                "        const upb_MiniTableField field = $field$;\n"
                "\n"
                "        return ($const_type$const *)quoit_array_data(\n"
                "                upb_Message_GetArray(UPB_UPCAST(msg), &field), size);\n"
                "}\n"
                "\n"
                "static inline $type$*$msg$_mutable_$name$($msg$ *msg, size_t *size)\n"
                "{\n"
                "        const upb_MiniTableField field = $field$;\n"
                "\n"
                "        return ($type$*)quoit_array_mutable_data(\n"
                "                upb_Message_GetMutableArray(UPB_UPCAST(msg), &field), size);\n"
                "}\n"
                "\n");
}

static void repeated_emit_resize(struct unit *u)
{
        printer_emit(&u->h, "static inline $type$*$msg$_resize_$name$($msg$ *msg, size_t size, "
                            "upb_Arena *arena)\n"
                            "{\n"
                            "        const upb_MiniTableField field = $field$;\n"
                            "\n"
                            "        return ($type$*)quoit_array_resize(\n"
                            "                upb_Message_GetOrCreateMutableArray(UPB_UPCAST(msg), "
                            "&field, arena),\n"
                            "                size, arena);\n"
                            "}\n"
                            "\n");
}

static void repeated_emit_add(struct unit *u)
{
        printer_emit(&u->h,
                "static inline bool $msg$_add_$name$($msg$ *msg, $type$val, upb_Arena *arena)\n"
                "{\n"
                "        const upb_MiniTableField field = $field$;\n"
                "\n"
                "        return quoit_array_add(\n"
                "                upb_Message_GetOrCreateMutableArray(UPB_UPCAST(msg), &field, "
                "arena),\n"
                "                &val, sizeof(val), arena);\n"
                "}\n"
                "\n");
}

static void repeated_emit_add_message(struct unit *u)
{
        printer_emit(&u->h, "static inline $type$$msg$_add_$name$($msg$ *msg, upb_Arena *arena)\n"
                            "{\n"
                            "        const upb_MiniTableField field = $field$;\n"
                            "\n"
                            "        return ($type$)quoit_array_add_message(\n"
                            "                upb_Message_GetOrCreateMutableArray(UPB_UPCAST(msg), "
                            "&field, arena),\n"
                            "                &$sub_table$, arena);\n"
                            "}\n"
                            "\n");
}

/* Uses the variables that fields.c has set. */
void repeated_emit(struct unit *u, const upb_FieldDef *f)
{
        repeated_emit_get(u);
        repeated_emit_resize(u);
        if (upb_FieldDef_IsSubMessage(f))
                repeated_emit_add_message(u);
        else
                repeated_emit_add(u);
}
