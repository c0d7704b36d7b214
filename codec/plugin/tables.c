/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <inttypes.h>

#include "codec/plugin/spelling.h"
#include "codec/plugin/types.h"
#include "codec/plugin/unit.h"

#include "upb/reflection/internal/enum_def.h"
#include "upb/wire/decode_fast/select.h"

/*
 * Static mini-tables, which drive upb's encoder and decoder. upb itself has laid them out when it built the file's definitions;
 * here they are only printed.
 */

/* ---- declarations ----------------------------------------------------------------------------- */

/* The users' name, like those of the accessors, is not unique, so the linker symbol is another one. */
static void tables_declare_extension(struct unit *u, const upb_FieldDef *f)
{
        printer_set(&u->h, "ext", names_extension_table(u->names, f));
        printer_set(&u->h, "symbol", names_symbol(u->names, u->file, upb_FieldDef_FullName(f)));
        printer_emit(&u->h, "extern const upb_MiniTableExtension *const $symbol$_ext;\n"
                            "#define $ext$ $symbol$_ext\n");
}

void tables_declare(struct unit *u)
{
        for (size_t i = 0; i < u->outline.n_messages; i++)
                printer_printf(&u->h, "extern const upb_MiniTable %s;\n",
                        types_message_table(u->names, u->outline.messages[i], u->arena));
        for (size_t i = 0; i < u->outline.n_enums; i++)
                if (upb_EnumDef_IsClosed(u->outline.enums[i]))
                        printer_printf(&u->h, "extern const upb_MiniTableEnum %s;\n",
                                types_enum_table(u->names, u->outline.enums[i], u->arena));
        for (size_t i = 0; i < u->outline.n_extensions; i++)
                tables_declare_extension(u, u->outline.extensions[i]);
        printer_printf(&u->h, "\n");
}

/* ---- messages --------------------------------------------------------------------------------- */

/* The table that a field of a message type, or of a closed enum, refers to. */
static const char *tables_sub(struct unit *u, const upb_FieldDef *f)
{
        if (upb_FieldDef_IsSubMessage(f))
                return memory_format(u->arena, "QUOIT_SUB_MESSAGE(%s)",
                        types_message_table(u->names, upb_FieldDef_MessageSubDef(f), u->arena));
        if (upb_FieldDef_IsEnum(f) && upb_EnumDef_IsClosed(upb_FieldDef_EnumSubDef(f)))
                return memory_format(u->arena, "QUOIT_SUB_ENUM(%s)",
                        types_enum_table(u->names, upb_FieldDef_EnumSubDef(f), u->arena));
        return "QUOIT_SUB_NONE";
}

/* The place behind the fields where the @i-th of @n fields has its reference. */
static size_t tables_sub_index(const upb_MiniTableField *f, size_t i, size_t n)
{
        size_t align = _Alignof(upb_MiniTableSubInternal);
        size_t subs_offset = (n * sizeof(*f) + align - 1) / align * align;
        size_t offset =
                i * sizeof(*f) + (size_t)f->QUOIT_UPB_PRIVATE(submsg_ofs) * kUpb_SubmsgOffsetBytes;

        return (offset - subs_offset) / sizeof(upb_MiniTableSubInternal);
}

/* The subs of @m's fields, in their places; returns how many. */
static size_t tables_collect_subs(
        struct unit *u, const upb_MessageDef *m, size_t n_fields, const char **subs)
{
        const upb_MiniTable *table = upb_MessageDef_MiniTable(m);
        size_t n_subs = 0;

        for (size_t i = 0; i < n_fields; i++) {
                const upb_MiniTableField *f = upb_MiniTable_GetFieldByIndex(table, (uint32_t)i);
                size_t place;

                subs[i] = NULL;
                if (f->QUOIT_UPB_PRIVATE(submsg_ofs) == kUpb_NoSub)
                        continue;
                place = tables_sub_index(f, i, n_fields);
                assert(place == n_subs);
                subs[n_subs++] = tables_sub(
                        u, upb_MessageDef_FindFieldByNumber(m, upb_MiniTableField_Number(f)));
        }
        return n_subs;
}

static void tables_emit_fields(struct unit *u, const upb_MessageDef *m, size_t n_fields)
{
        const upb_MiniTable *table = upb_MessageDef_MiniTable(m);
        const char **subs = memory_alloc(u->arena, n_fields * sizeof(*subs));
        size_t n_subs = tables_collect_subs(u, m, n_fields, subs);

        printer_printf(&u->c, "static const struct {\n        upb_MiniTableField fields[%zu];\n",
                n_fields);
        if (n_subs)
                printer_printf(&u->c, "        upb_MiniTableSubInternal subs[%zu];\n", n_subs);
        printer_emit(&u->c, "} $fields$ = {\n        .fields = {\n");
        for (size_t i = 0; i < n_fields; i++)
                printer_printf(&u->c, "                %s,\n",
                        types_field(upb_MiniTable_GetFieldByIndex(table, (uint32_t)i), u->arena));
        printer_printf(&u->c, "        },\n");
        if (n_subs) {
                printer_printf(&u->c, "        .subs = {\n");
                for (size_t i = 0; i < n_subs; i++)
                        printer_printf(&u->c, "                %s,\n", subs[i]);
                printer_printf(&u->c, "        },\n");
        }
        printer_printf(&u->c, "};\n\n");
}

static void tables_emit_fast(struct unit *u, const upb_DecodeFast_TableEntry *entries, int n)
{
        if (!n)
                return;
        printer_printf(&u->c, "        QUOIT_FASTTABLE_INIT({\n");
        for (int i = 0; i < n; i++)
                printer_printf(&u->c, "                { UINT64_C(0x%016" PRIx64 "), &%s },\n",
                        entries[i].function_data,
                        upb_DecodeFast_GetFunctionName(entries[i].function_idx));
        printer_printf(&u->c, "        })\n");
}

static const char *tables_extension_mode(const upb_MessageDef *m)
{
        if (upb_MessageDef_IsMessageSet(m))
                return "kUpb_ExtMode_IsMessageSet";
        if (upb_MessageDef_ExtensionRangeCount(m))
                return "kUpb_ExtMode_Extendable";
        return "kUpb_ExtMode_NonExtendable";
}

static void tables_emit_message(struct unit *u, const upb_MessageDef *m)
{
        const upb_MiniTable *table = upb_MessageDef_MiniTable(m);
        size_t n_fields = (size_t)upb_MiniTable_FieldCount(table);
        upb_DecodeFast_TableEntry entries[32];
        int n_entries = upb_DecodeFast_BuildTable(table, entries);

        printer_set(&u->c, "table", types_message_table(u->names, m, u->arena));
        printer_set(&u->c, "fields",
                memory_format(u->arena, "%s_fields",
                        names_symbol(u->names, u->file, upb_MessageDef_FullName(m))));
        if (n_fields)
                tables_emit_fields(u, m, n_fields);

        printer_emit(&u->c, "QUOIT_TABLE const upb_MiniTable $table$ = {\n");
        printer_emit(&u->c, n_fields ? "        &$fields$.fields[0],\n" : "        NULL,\n");
        printer_printf(&u->c, "        %u, %zu, %s, %u, QUOIT_FASTTABLE_MASK(%u), %u,\n",
                table->QUOIT_UPB_PRIVATE(size), n_fields, tables_extension_mode(m),
                table->QUOIT_UPB_PRIVATE(dense_below), upb_DecodeFast_GetTableMask(n_entries),
                table->QUOIT_UPB_PRIVATE(required_count));
        tables_emit_fast(u, entries, n_entries);
        printer_printf(&u->c, "};\n\n");
}

/* ---- closed enums, extensions ----------------------------------------------------------------- */

static void tables_emit_enum(struct unit *u, const upb_EnumDef *e)
{
        const upb_MiniTableEnum *table = _upb_EnumDef_MiniTable(e);
        uint32_t mask_limit = table->QUOIT_UPB_PRIVATE(mask_limit);
        uint32_t n_values = table->QUOIT_UPB_PRIVATE(value_count);

        printer_printf(&u->c,
                "QUOIT_TABLE const upb_MiniTableEnum %s = {\n        %" PRIu32 ", %" PRIu32
                ",\n        {\n",
                types_enum_table(u->names, e, u->arena), mask_limit, n_values);
        for (uint32_t i = 0; i < mask_limit / 32 + n_values; i++)
                printer_printf(&u->c, "                0x%" PRIx32 ",\n",
                        table->QUOIT_UPB_PRIVATE(data)[i]);
        printer_printf(&u->c, "        },\n};\n\n");
}

static void tables_emit_extension(struct unit *u, const upb_FieldDef *f)
{
        printer_set(&u->c, "symbol", names_symbol(u->names, u->file, upb_FieldDef_FullName(f)));
        printer_set(&u->c, "field", types_field(upb_FieldDef_MiniTable(f), u->arena));
        printer_set(&u->c, "sub", tables_sub(u, f));
        printer_set(&u->c, "extendee",
                types_message_table(u->names, upb_FieldDef_ContainingType(f), u->arena));
        printer_emit(&u->c, "static const upb_MiniTableExtension $symbol$_ext_table = {\n"
                            "        $field$,\n"
                            "        $sub$,\n"
                            "        &$extendee$,\n"
                            "};\n"
                            "QUOIT_TABLE const upb_MiniTableExtension *const $symbol$_ext = "
                            "&$symbol$_ext_table;\n"
                            "\n");
}

/* ---- the file's ------------------------------------------------------------------------------- */

static void tables_emit_list_begin(struct unit *u, const char *type, const char *name)
{
        printer_printf(&u->c, "static const %s *%s_%s[] = {\n", type,
                names_file_symbol(u->names, u->file), name);
}

static size_t tables_emit_lists(struct unit *u)
{
        size_t n_closed = 0;

        if (u->outline.n_messages) {
                tables_emit_list_begin(u, "upb_MiniTable", "messages");
                for (size_t i = 0; i < u->outline.n_messages; i++)
                        printer_printf(&u->c, "        &%s,\n",
                                types_message_table(u->names, u->outline.messages[i], u->arena));
                printer_printf(&u->c, "};\n\n");
        }
        for (size_t i = 0; i < u->outline.n_enums; i++) {
                if (!upb_EnumDef_IsClosed(u->outline.enums[i]))
                        continue;
                if (!n_closed++)
                        tables_emit_list_begin(u, "upb_MiniTableEnum", "enums");
                printer_printf(&u->c, "        &%s,\n",
                        types_enum_table(u->names, u->outline.enums[i], u->arena));
        }
        if (n_closed)
                printer_printf(&u->c, "};\n\n");
        if (u->outline.n_extensions) {
                tables_emit_list_begin(u, "upb_MiniTableExtension", "extensions");
                for (size_t i = 0; i < u->outline.n_extensions; i++)
                        printer_printf(&u->c, "        &%s_ext_table,\n",
                                names_symbol(u->names, u->file,
                                        upb_FieldDef_FullName(u->outline.extensions[i])));
                printer_printf(&u->c, "};\n\n");
        }
        return n_closed;
}

static void tables_emit_layout(struct unit *u)
{
        size_t n_closed = tables_emit_lists(u);

        printer_set(&u->c, "file", names_file_symbol(u->names, u->file));
        printer_emit(&u->c, "static const upb_MiniTableFile $file$_layout = {\n");
        printer_emit(
                &u->c, u->outline.n_messages ? "        $file$_messages,\n" : "        NULL,\n");
        printer_emit(&u->c, n_closed ? "        $file$_enums,\n" : "        NULL,\n");
        printer_emit(&u->c,
                u->outline.n_extensions ? "        $file$_extensions,\n" : "        NULL,\n");
        printer_printf(&u->c, "        %zu, %zu, %zu,\n};\n\n", u->outline.n_messages, n_closed,
                u->outline.n_extensions);
}

void tables_emit(struct unit *u)
{
        for (size_t i = 0; i < u->outline.n_messages; i++)
                tables_emit_message(u, u->outline.messages[i]);
        for (size_t i = 0; i < u->outline.n_enums; i++)
                if (upb_EnumDef_IsClosed(u->outline.enums[i]))
                        tables_emit_enum(u, u->outline.enums[i]);
        for (size_t i = 0; i < u->outline.n_extensions; i++)
                tables_emit_extension(u, u->outline.extensions[i]);
        tables_emit_layout(u);
}
