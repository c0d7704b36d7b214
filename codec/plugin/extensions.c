/* SPDX-License-Identifier: MIT */
#include "codec/plugin/types.h"
#include "codec/plugin/unit.h"

static void extensions_emit_singular(struct unit *u)
{
        printer_emit(&u->h,
                "static inline $const_type$$scope$_$name$(const $msg$ *msg)\n"
                "{\n"
                "        $const_type$default_val = $default$;\n"
                "        $const_type$ret;\n"
                "\n"
                "        _upb_Message_GetExtensionField(UPB_UPCAST(msg), $ext$, &default_val, "
                "&ret);\n"
                "        return ret;\n"
                "}\n"
                "\n"
                "static inline bool $scope$_has_$name$(const $msg$ *msg)\n"
                "{\n"
                "        return upb_Message_HasExtension(UPB_UPCAST(msg), $ext$);\n"
                "}\n"
                "\n"
                "static inline bool $scope$_set_$name$($msg$ *msg, $const_type$val, upb_Arena "
                "*arena)\n"
                "{\n"
                "        return upb_Message_SetExtension(UPB_UPCAST(msg), $ext$, &val, arena);\n"
                "}\n"
                "\n");
}

static void extensions_emit_mutable(struct unit *u)
{
        printer_emit(&u->h,
                "static inline $type$$scope$_mutable_$name$($msg$ *msg, upb_Arena *arena)\n"
                "{\n"
                "        $type$sub = ($type$)upb_Message_GetExtensionMessage(UPB_UPCAST(msg), "
                "$ext$, NULL);\n"
                "\n"
                "        if (!sub) {\n"
                "                sub = ($type$)quoit_message_new(&$sub_table$, arena);\n"
                "                if (sub && !$scope$_set_$name$(msg, sub, arena))\n"
                "                        sub = NULL;\n"
                "        }\n"
                "        return sub;\n"
                "}\n"
                "\n");
}

static void extensions_emit_repeated(struct unit *u)
{
        printer_emit(&u->h,
                "static inline $const_type$const *$scope$_$name$(const $msg$ *msg, size_t *size)\n"
                "{\n"
                "        return ($const_type$const *)quoit_array_data(\n"
                "                upb_Message_GetExtensionArray(UPB_UPCAST(msg), $ext$), size);\n"
                "}\n"
                "\n"
                "static inline $type$*$scope$_mutable_$name$($msg$ *msg, size_t *size)\n"
                "{\n"
                "        return ($type$*)quoit_array_mutable_data(\n"
                "                upb_Message_GetExtensionMutableArray(UPB_UPCAST(msg), $ext$), "
                "size);\n"
                "}\n"
                "\n"
                "static inline $type$*$scope$_resize_$name$($msg$ *msg, size_t size, upb_Arena "
                "*arena)\n"
                "{\n"
                "        return ($type$*)quoit_array_resize(\n"
                "                quoit_extension_array(UPB_UPCAST(msg), $ext$, arena), size, "
                "arena);\n"
                "}\n"
                "\n");
}

static void extensions_emit_add(struct unit *u)
{
        printer_emit(&u->h,
                "static inline bool $scope$_add_$name$($msg$ *msg, $type$val, upb_Arena *arena)\n"
                "{\n"
                "        return quoit_array_add(quoit_extension_array(UPB_UPCAST(msg), $ext$, "
                "arena),\n"
                "                &val, sizeof(val), arena);\n"
                "}\n"
                "\n");
}

static void extensions_emit_add_message(struct unit *u)
{
        printer_emit(&u->h, "static inline $type$$scope$_add_$name$($msg$ *msg, upb_Arena *arena)\n"
                            "{\n"
                            "        return ($type$)quoit_array_add_message(\n"
                            "                quoit_extension_array(UPB_UPCAST(msg), $ext$, arena), "
                            "&$sub_table$, arena);\n"
                            "}\n"
                            "\n");
}

static void extensions_emit_clear(struct unit *u)
{
        printer_emit(&u->h, "static inline void $scope$_clear_$name$($msg$ *msg)\n"
                            "{\n"
                            "        upb_Message_ClearExtension(UPB_UPCAST(msg), $ext$);\n"
                            "}\n"
                            "\n");
}

static void extensions_set_vars(struct unit *u, const upb_FieldDef *f)
{
        const upb_MessageDef *extended = upb_FieldDef_ContainingType(f);

        printer_set(&u->h, "scope", names_extension_scope(u->names, f));
        printer_set(&u->h, "name", names_of(u->names, upb_FieldDef_FullName(f)));
        printer_set(&u->h, "msg", names_of(u->names, upb_MessageDef_FullName(extended)));
        printer_set(&u->h, "ext", names_extension_table(u->names, f));
        printer_set(&u->h, "type", types_of(u->names, f, u->arena));
        printer_set(&u->h, "const_type", types_of_const(u->names, f, u->arena));
        if (upb_FieldDef_IsSubMessage(f))
                printer_set(&u->h, "sub_table",
                        types_message_table(u->names, upb_FieldDef_MessageSubDef(f), u->arena));
}

static void extensions_emit_one(struct unit *u, const upb_FieldDef *f)
{
        extensions_set_vars(u, f);
        comments_emit(u->comments, &u->h, upb_FieldDef_FullName(f), 0);
        if (upb_FieldDef_IsRepeated(f)) {
                extensions_emit_repeated(u);
                if (upb_FieldDef_IsSubMessage(f))
                        extensions_emit_add_message(u);
                else
                        extensions_emit_add(u);
        } else {
                printer_set(&u->h, "default", types_default(f, u->arena));
                extensions_emit_singular(u);
                if (upb_FieldDef_IsSubMessage(f))
                        extensions_emit_mutable(u);
        }
        extensions_emit_clear(u);
}

void extensions_emit(struct unit *u)
{
        for (size_t i = 0; i < u->outline.n_extensions; i++)
                extensions_emit_one(u, u->outline.extensions[i]);
}
