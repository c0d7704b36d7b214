/* SPDX-License-Identifier: MIT */
#include "codec/plugin/types.h"

#include <assert.h>
#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "codec/plugin/printer.h"

static const char *types_spell(
        const struct names *names, const upb_FieldDef *f, const char *qualifier, upb_Arena *arena)
{
        switch (upb_FieldDef_CType(f)) {
        case kUpb_CType_Bool:
                return "bool ";
        case kUpb_CType_Float:
                return "float ";
        case kUpb_CType_Double:
                return "double ";
        case kUpb_CType_Int32:
        case kUpb_CType_Enum:
                return "int32_t ";
        case kUpb_CType_UInt32:
                return "uint32_t ";
        case kUpb_CType_Int64:
                return "int64_t ";
        case kUpb_CType_UInt64:
                return "uint64_t ";
        case kUpb_CType_String:
        case kUpb_CType_Bytes:
                return "upb_StringView ";
        case kUpb_CType_Message:
                return memory_format(arena, "%s%s *", qualifier,
                        names_of(names, upb_MessageDef_FullName(upb_FieldDef_MessageSubDef(f))));
        }
        assert(!"a field of no type");
        return NULL;
}

const char *types_of(const struct names *names, const upb_FieldDef *f, upb_Arena *arena)
{
        return types_spell(names, f, "", arena);
}

const char *types_of_const(const struct names *names, const upb_FieldDef *f, upb_Arena *arena)
{
        return types_spell(names, f, "const ", arena);
}

/* @digits: enough to get the same number when it is parsed. A literal without a point would be an integer. */
static const char *types_real(double value, int digits, const char *suffix, upb_Arena *arena)
{
        const char *sign = signbit(value) ? "-" : "";
        const char *text;

        if (isnan(value))
                return "(__builtin_nanf(\"\"))";
        if (isinf(value))
                return memory_format(arena, "(%s__builtin_inff())", sign);
        text = memory_format(arena, "%.*g", digits, value);
        return memory_format(arena, "%s%s%s", text, strpbrk(text, ".e") ? "" : ".0", suffix);
}

const char *types_default(const upb_FieldDef *f, upb_Arena *arena)
{
        upb_MessageValue value = upb_FieldDef_Default(f);

        switch (upb_FieldDef_CType(f)) {
        case kUpb_CType_Bool:
                return value.bool_val ? "true" : "false";
        case kUpb_CType_Float:
                return types_real((double)value.float_val, 9, "f", arena);
        case kUpb_CType_Double:
                return types_real(value.double_val, 17, "", arena);
        case kUpb_CType_Int32:
        case kUpb_CType_Enum:
                /* The smallest number has no literal: -2147483648 is a minus and a number that does not fit. */
                if (value.int32_val == INT32_MIN)
                        return "INT32_MIN";
                return memory_format(arena, "%" PRId32, value.int32_val);
        case kUpb_CType_UInt32:
                return memory_format(arena, "%" PRIu32 "u", value.uint32_val);
        case kUpb_CType_Int64:
                if (value.int64_val == INT64_MIN)
                        return "INT64_MIN";
                return memory_format(arena, "INT64_C(%" PRId64 ")", value.int64_val);
        case kUpb_CType_UInt64:
                return memory_format(arena, "UINT64_C(%" PRIu64 ")", value.uint64_val);
        case kUpb_CType_String:
        case kUpb_CType_Bytes:
                return memory_format(arena, "upb_StringView_FromDataAndSize(%s, %zu)",
                        types_literal(value.str_val.data, value.str_val.size, 16, arena),
                        value.str_val.size);
        case kUpb_CType_Message:
                return "NULL";
        }
        assert(!"a field of no type");
        return NULL;
}

const char *types_field(const upb_MiniTableField *f, upb_Arena *arena)
{
        return memory_format(arena, "{ %" PRIu32 ", %u, %d, %u, %u, 0x%02x }",
                upb_MiniTableField_Number(f), f->QUOIT_UPB_PRIVATE(offset), f->presence,
                f->QUOIT_UPB_PRIVATE(submsg_ofs), f->QUOIT_UPB_PRIVATE(descriptortype),
                f->QUOIT_UPB_PRIVATE(mode));
}

const char *types_map_size(const upb_FieldDef *f, const char *expression, upb_Arena *arena)
{
        switch (upb_FieldDef_CType(f)) {
        case kUpb_CType_String:
        case kUpb_CType_Bytes:
                return "0";
        default:
                return memory_format(arena, "sizeof(%s)", expression);
        }
}

const char *types_message_table(
        const struct names *names, const upb_MessageDef *m, upb_Arena *arena)
{
        return memory_format(arena, "%s_msg_init",
                names_symbol(names, upb_MessageDef_File(m), upb_MessageDef_FullName(m)));
}

const char *types_enum_table(const struct names *names, const upb_EnumDef *e, upb_Arena *arena)
{
        return memory_format(arena, "%s_enum_init",
                names_symbol(names, upb_EnumDef_File(e), upb_EnumDef_FullName(e)));
}

/* Always three octal digits, so that a following digit is not part of it; `?` can begin a trigraph. */
static void types_literal_byte(struct printer *p, unsigned char byte)
{
        if (byte == '"' || byte == '\\' || byte == '?')
                printer_printf(p, "\\%c", byte);
        else if (byte >= 0x20 && byte < 0x7f)
                printer_printf(p, "%c", byte);
        else
                printer_printf(p, "\\%03o", byte);
}

const char *types_literal(const char *data, size_t size, int indent, upb_Arena *arena)
{
        struct printer p;
        size_t line = 0;

        printer_init(&p, arena);
        printer_printf(&p, "\"");
        for (size_t i = 0; i < size; i++) {
                if (p.size - line > 80) {
                        printer_printf(&p, "\"\n%*s", indent, "");
                        line = p.size;
                        printer_printf(&p, "\"");
                }
                types_literal_byte(&p, (unsigned char)data[i]);
        }
        printer_append(&p, "\"", 2);
        return p.data;
}
