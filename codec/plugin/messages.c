/* SPDX-License-Identifier: MIT */
#include "codec/plugin/types.h"
#include "codec/plugin/unit.h"

static void messages_emit_functions(struct unit *u)
{
        printer_emit(&u->h,
                "static inline $msg$ *$msg$_new(upb_Arena *arena)\n"
                "{\n"
                "        return ($msg$ *)quoit_message_new(&$table$, arena);\n"
                "}\n"
                "\n"
                "static inline $msg$ *$msg$_parse(const char *buf, size_t size, upb_Arena *arena)\n"
                "{\n"
                "        return ($msg$ *)quoit_message_parse(buf, size, &$table$, NULL, 0, "
                "arena);\n"
                "}\n"
                "\n"
                "static inline $msg$ *$msg$_parse_ex(const char *buf, size_t size,\n"
                "        const upb_ExtensionRegistry *registry, int options, upb_Arena *arena)\n"
                "{\n"
                "        return ($msg$ *)quoit_message_parse(\n"
                "                buf, size, &$table$, registry, options, arena);\n"
                "}\n"
                "\n"
                "static inline int $msg$_parse_checked(const char *buf, size_t size,\n"
                "        const upb_ExtensionRegistry *registry, upb_Arena *arena, $msg$ "
                "**ret_msg)\n"
                "{\n"
                "        upb_Message *msg;\n"
                "        int r = quoit_message_parse_checked(buf, size, &$table$, registry, arena, "
                "&msg);\n"
                "\n"
                "        if (!r)\n"
                "                *ret_msg = ($msg$ *)msg;\n"
                "        return r;\n"
                "}\n"
                "\n"
                "static inline $msg$ *$msg$_deep_copy(const $msg$ *msg, upb_Arena *arena)\n"
                "{\n"
                "        return arena ? ($msg$ *)upb_Message_DeepClone(UPB_UPCAST(msg), &$table$, "
                "arena)\n"
                "                     : NULL;\n"
                "}\n"
                "\n"
                "static inline char *$msg$_serialize(const $msg$ *msg, upb_Arena *arena, size_t "
                "*len)\n"
                "{\n"
                "        return quoit_message_serialize(UPB_UPCAST(msg), &$table$, 0, arena, "
                "len);\n"
                "}\n"
                "\n"
                "static inline char *$msg$_serialize_ex(\n"
                "        const $msg$ *msg, int options, upb_Arena *arena, size_t *len)\n"
                "{\n"
                "        return quoit_message_serialize(\n"
                "                UPB_UPCAST(msg), &$table$, options, arena, len);\n"
                "}\n"
                "\n");
}

static void messages_emit_one(struct unit *u, const upb_MessageDef *m)
{
        printer_set(&u->h, "msg", names_of(u->names, upb_MessageDef_FullName(m)));
        printer_set(&u->h, "table", types_message_table(u->names, m, u->arena));
        printer_set(&u->h, "full_name", upb_MessageDef_FullName(m));

        printer_emit(&u->h, "/* ---- $full_name$ ---- */\n\n");
        messages_emit_functions(u);
        oneofs_emit(u, m);
        fields_emit(u, m);
}

/* Map entries are messages on the wire and in tables, but users do not see them. */
void messages_emit(struct unit *u)
{
        for (size_t i = 0; i < u->outline.n_messages; i++) {
                const upb_MessageDef *m = u->outline.messages[i];
                const char *full_name = upb_MessageDef_FullName(m);

                if (upb_MessageDef_IsMapEntry(m))
                        continue;
                comments_emit(u->comments, &u->h, full_name, 0);
                printer_set(&u->h, "msg", names_of(u->names, full_name));
                printer_emit(&u->h, "typedef struct $msg$ {\n"
                                    "        upb_Message QUOIT_UPB_PRIVATE(base);\n"
                                    "} $msg$;\n"
                                    "\n");
        }
        tables_declare(u);
        for (size_t i = 0; i < u->outline.n_messages; i++)
                if (!upb_MessageDef_IsMapEntry(u->outline.messages[i]))
                        messages_emit_one(u, u->outline.messages[i]);
}
