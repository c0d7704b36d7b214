/* SPDX-License-Identifier: MIT */
#include "codec/plugin/types.h"
#include "codec/plugin/unit.h"

static void maps_emit_get(struct unit *u)
{
        printer_emit(&u->h,
                "static inline size_t $msg$_$name$_size(const $msg$ *msg)\n"
                "{\n"
                "        const upb_MiniTableField field = $field$;\n"
                "        const upb_Map *map = upb_Message_GetMap(UPB_UPCAST(msg), &field);\n"
                "\n"
                "        return map ? _upb_Map_Size(map) : 0;\n"
                "}\n"
                "\n"
                "static inline bool $msg$_$name$_get(const $msg$ *msg, $key$key, $val$*val)\n"
                "{\n"
                "        const upb_MiniTableField field = $field$;\n"
                "        const upb_Map *map = upb_Message_GetMap(UPB_UPCAST(msg), &field);\n"
                "\n"
                "        return map && _upb_Map_Get(map, &key, $key_size$, val, $val_ptr_size$);\n"
                "}\n"
                "\n");
}

static void maps_emit_next(struct unit *u)
{
        printer_emit(&u->h,
                "static inline bool $msg$_$name$_next(\n"
                "        const $msg$ *msg, $key$*key, $const_val$*val, size_t *iter)\n"
                "{\n"
                "        const upb_MiniTableField field = $field$;\n"
                "        const upb_Map *map = upb_Message_GetMap(UPB_UPCAST(msg), &field);\n"
                "        upb_MessageValue item[2];\n"
                "\n"
                "        if (!map || !upb_Map_Next(map, &item[0], &item[1], iter))\n"
                "                return false;\n"
                "        memcpy(key, &item[0], sizeof(*key));\n"
                "        memcpy(val, &item[1], sizeof(*val));\n"
                "        return true;\n"
                "}\n"
                "\n");
}

static void maps_emit_set(struct unit *u)
{
        printer_emit(&u->h,
                "static inline bool $msg$_$name$_set($msg$ *msg, $key$key, $val$val, upb_Arena "
                "*arena)\n"
                "{\n"
                "        const upb_MiniTableField field = $field$;\n"
                "        upb_Map *map = _upb_Message_GetOrCreateMutableMap(\n"
                "                UPB_UPCAST(msg), &field, $key_size$, $val_size$, arena);\n"
                "\n"
                "        return map && _upb_Map_Insert(map, &key, $key_size$, &val, $val_size$, "
                "arena) !=\n"
                "                        kUpb_MapInsertStatus_OutOfMemory;\n"
                "}\n"
                "\n"
                "static inline bool $msg$_$name$_delete($msg$ *msg, $key$key)\n"
                "{\n"
                "        const upb_MiniTableField field = $field$;\n"
                "        upb_Map *map = upb_Message_GetMutableMap(UPB_UPCAST(msg), &field);\n"
                "\n"
                "        return map && _upb_Map_Delete(map, &key, $key_size$, NULL);\n"
                "}\n"
                "\n"
                "static inline void $msg$_$name$_clear($msg$ *msg)\n"
                "{\n"
                "        const upb_MiniTableField field = $field$;\n"
                "        upb_Map *map = upb_Message_GetMutableMap(UPB_UPCAST(msg), &field);\n"
                "\n"
                "        if (map)\n"
                "                _upb_Map_Clear(map);\n"
                "}\n"
                "\n");
}

void maps_emit(struct unit *u, const upb_FieldDef *f)
{
        const upb_MessageDef *entry = upb_FieldDef_MessageSubDef(f);
        const upb_FieldDef *key = upb_MessageDef_FindFieldByNumber(entry, 1);
        const upb_FieldDef *val = upb_MessageDef_FindFieldByNumber(entry, 2);

        printer_set(&u->h, "key", types_of(u->names, key, u->arena));
        printer_set(&u->h, "val", types_of(u->names, val, u->arena));
        printer_set(&u->h, "const_val", types_of_const(u->names, val, u->arena));
        printer_set(&u->h, "key_size", types_map_size(key, "key", u->arena));
        printer_set(&u->h, "val_size", types_map_size(val, "val", u->arena));
        printer_set(&u->h, "val_ptr_size", types_map_size(val, "*val", u->arena));

        maps_emit_get(u);
        maps_emit_next(u);
        maps_emit_set(u);
}
