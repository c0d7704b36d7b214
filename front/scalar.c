/* SPDX-License-Identifier: MIT */
#include "front/scalar.h"

#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "codec/base64.h"
#include "codec/number.h"
#include "codec/utf8.h"
#include "upb/lex/strtod.h"

static bool is(upb_StringView text, const char *what)
{
        return upb_StringView_IsEqual(text, upb_StringView_FromString(what));
}

/* A decimal number from @min, which is not positive, to @max. */
static int parse_signed(upb_StringView text, int64_t min, int64_t max, int64_t *ret_number)
{
        bool is_negative = text.size > 0 && *text.data == '-';
        uint64_t limit = is_negative ? 0 - (uint64_t)min : (uint64_t)max, number;

        if (number_parse(text.data + is_negative, text.size - is_negative, limit, &number) < 0)
                return -EINVAL;
        *ret_number = (int64_t)(is_negative ? 0 - number : number);
        return 0;
}

/* JSON's numbers, and those that ProtoJSON has in quotes. A number out of range is refused; "Infinity" is not. */
static int parse_double(upb_StringView text, double max, double *ret_number)
{
        char copy[64], *end;
        double number;

        if (is(text, "NaN") || is(text, "Infinity") || is(text, "-Infinity")) {
                *ret_number = is(text, "NaN") ? NAN : *text.data == '-' ? -INFINITY : INFINITY;
                return 0;
        }
        if (text.size == 0 || text.size >= sizeof(copy))
                return -EINVAL;
        for (size_t i = 0; i < text.size; i++) /* no "inf", "0x1", or white space */
                if (text.data[i] == '\0' || !strchr("0123456789.eE+-", text.data[i]))
                        return -EINVAL;
        memcpy(copy, text.data, text.size);
        copy[text.size] = '\0';
        number = _upb_NoLocaleStrtod(copy, &end);
        if (end != copy + text.size || !(fabs(number) <= max))
                return -EINVAL;
        *ret_number = number;
        return 0;
}

static int parse_enum(const upb_FieldDef *field, upb_StringView text, int32_t *ret_number)
{
        const upb_EnumDef *type = upb_FieldDef_EnumSubDef(field);
        const upb_EnumValueDef *value =
                upb_EnumDef_FindValueByNameWithSize(type, text.data, text.size);
        int64_t number;

        if (value) {
                *ret_number = upb_EnumValueDef_Number(value);
                return 0;
        }
        if (parse_signed(text, INT32_MIN, INT32_MAX, &number) < 0 ||
                (upb_EnumDef_IsClosed(type) && !upb_EnumDef_CheckNumber(type, (int32_t)number)))
                return -EINVAL;
        *ret_number = (int32_t)number;
        return 0;
}

/*
 * Base64 has no spaces: one is a '+' that the sender has forgotten to encode in a query. Padding is optional, also in the
 * alphabet of URLs.
 */
static int parse_bytes(upb_StringView text, upb_Arena *arena, upb_StringView *ret_bytes)
{
        char *copy = upb_Arena_Malloc(arena, text.size);
        size_t size;

        if (!copy)
                return -ENOMEM;
        for (size_t i = 0; i < text.size; i++) {
                char c = text.data[i];

                copy[i] = c == '-' || c == ' ' ? '+' : c == '_' ? '/' : c;
        }
        if (base64_decode((uint8_t *)copy, copy, text.size, &size) < 0)
                return -EINVAL;
        *ret_bytes = upb_StringView_FromDataAndSize(copy, size);
        return 0;
}

static int parse_integer(upb_StringView text, upb_CType type, upb_MessageValue *ret_value)
{
        bool is_32 = type == kUpb_CType_Int32 || type == kUpb_CType_UInt32;
        uint64_t number;
        int64_t with_sign;
        int r;

        if (type == kUpb_CType_UInt32 || type == kUpb_CType_UInt64) {
                r = number_parse(text.data, text.size, is_32 ? UINT32_MAX : UINT64_MAX, &number);
                if (r < 0)
                        return -EINVAL;
                ret_value->uint64_val = number;
                if (is_32)
                        ret_value->uint32_val = (uint32_t)number;
                return 0;
        }
        r = parse_signed(
                text, is_32 ? INT32_MIN : INT64_MIN, is_32 ? INT32_MAX : INT64_MAX, &with_sign);
        if (r < 0)
                return r;
        if (is_32)
                ret_value->int32_val = (int32_t)with_sign;
        else
                ret_value->int64_val = with_sign;
        return 0;
}

static int parse_bool(upb_StringView text, bool *ret_bool)
{
        if (!is(text, "true") && !is(text, "false"))
                return -EINVAL;
        *ret_bool = *text.data == 't';
        return 0;
}

static int parse_float(upb_StringView text, float *ret_number)
{
        double number;
        int r = parse_double(text, (double)FLT_MAX, &number);

        if (r == 0)
                *ret_number = (float)number;
        return r;
}

int scalar_parse(const upb_FieldDef *field, upb_StringView text, upb_Arena *arena,
        upb_MessageValue *ret_value)
{
        upb_CType type = upb_FieldDef_CType(field);

        switch (type) {
        case kUpb_CType_Bool:
                return parse_bool(text, &ret_value->bool_val);
        case kUpb_CType_Float:
                return parse_float(text, &ret_value->float_val);
        case kUpb_CType_Double:
                return parse_double(text, DBL_MAX, &ret_value->double_val);
        case kUpb_CType_Enum:
                return parse_enum(field, text, &ret_value->int32_val);
        case kUpb_CType_Bytes:
                return parse_bytes(text, arena, &ret_value->str_val);
        case kUpb_CType_String:
                ret_value->str_val = text;
                return utf8_is_valid(text.data, text.size) ? 0 : -EINVAL;
        case kUpb_CType_Message:
                return -EINVAL;
        default:
                return parse_integer(text, type, ret_value);
        }
}
