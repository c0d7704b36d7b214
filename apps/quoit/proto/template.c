/* SPDX-License-Identifier: MIT */
#include "template.h"

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "../json_write.h"

enum { DEPTH_MAX = 8, BYTES_MAX = 64 << 10 };

struct template
{
        FILE *out;
        const upb_MessageDef *inside[DEPTH_MAX];
        int depth; /* of messages */
        int indent; /* of lines */
        size_t bytes; /* about so many were printed */
};

static void print_message(struct template *t, const upb_MessageDef *message);

static void new_line(struct template *t)
{
        t->bytes += (size_t)fprintf(t->out, "\n%*s", 2 * t->indent, "");
}

/* What stands for a message that JSON writes in its own way. NULL: it is an object with its fields. */
static const char *well_known(const upb_MessageDef *message)
{
        switch (upb_MessageDef_WellKnownType(message)) {
        case kUpb_WellKnown_Any:
        case kUpb_WellKnown_Struct:
                return "{}";
        case kUpb_WellKnown_FieldMask:
        case kUpb_WellKnown_BytesValue:
        case kUpb_WellKnown_StringValue:
                return "\"\"";
        case kUpb_WellKnown_Duration:
                return "\"0s\"";
        case kUpb_WellKnown_Timestamp:
                return "\"1970-01-01T00:00:00Z\"";
        case kUpb_WellKnown_DoubleValue:
        case kUpb_WellKnown_FloatValue:
        case kUpb_WellKnown_Int32Value:
        case kUpb_WellKnown_UInt32Value:
                return "0";
        case kUpb_WellKnown_Int64Value:
        case kUpb_WellKnown_UInt64Value:
                return "\"0\"";
        case kUpb_WellKnown_BoolValue:
                return "false";
        case kUpb_WellKnown_Value:
                return "null";
        case kUpb_WellKnown_ListValue:
                return "[]";
        default:
                return NULL;
        }
}

static bool is_cut(const struct template *t, const upb_MessageDef *message)
{
        for (int i = 0; i < t->depth; i++)
                if (t->inside[i] == message)
                        return true;
        return !well_known(message) && (t->depth == DEPTH_MAX || t->bytes > BYTES_MAX);
}

static void print_real(struct template *t, double value)
{
        if (isnan(value))
                fputs("\"NaN\"", t->out);
        else if (isinf(value))
                fputs(value < 0 ? "\"-Infinity\"" : "\"Infinity\"", t->out);
        else
                fprintf(t->out, "%.9g", value);
}

static void print_enum(struct template *t, const upb_FieldDef *field, int32_t number)
{
        const upb_EnumDef *type = upb_FieldDef_EnumSubDef(field);
        const upb_EnumValueDef *value = upb_EnumDef_FindValueByNumber(type, number);

        if (!strcmp(upb_EnumDef_FullName(type), "google.protobuf.NullValue"))
                fputs("null", t->out);
        else
                fprintf(t->out, "\"%s\"",
                        upb_EnumValueDef_Name(value ? value : upb_EnumDef_Value(type, 0)));
}

static void print_value(struct template *t, const upb_FieldDef *field)
{
        bool has_default = !upb_FieldDef_IsRepeated(field) && !upb_FieldDef_IsSubMessage(field);
        upb_MessageValue value =
                has_default ? upb_FieldDef_Default(field) : upb_MessageValue_Zero();

        switch (upb_FieldDef_CType(field)) {
        case kUpb_CType_Bool:
                fputs(value.bool_val ? "true" : "false", t->out);
                break;
        case kUpb_CType_Float:
                print_real(t, (double)value.float_val);
                break;
        case kUpb_CType_Double:
                print_real(t, value.double_val);
                break;
        case kUpb_CType_Int32:
                fprintf(t->out, "%" PRId32, value.int32_val);
                break;
        case kUpb_CType_UInt32:
                fprintf(t->out, "%" PRIu32, value.uint32_val);
                break;
        case kUpb_CType_Int64:
                fprintf(t->out, "\"%" PRId64 "\"", value.int64_val);
                break;
        case kUpb_CType_UInt64:
                fprintf(t->out, "\"%" PRIu64 "\"", value.uint64_val);
                break;
        case kUpb_CType_Enum:
                print_enum(t, field, value.int32_val);
                break;
        case kUpb_CType_Message:
                print_message(t, upb_FieldDef_MessageSubDef(field));
                break;
        case kUpb_CType_String:
                json_write_string(t->out, value.str_val);
                break;
        default:
                fputs("\"\"", t->out); /* bytes, in base64 */
        }
}

static void print_map(struct template *t, const upb_FieldDef *field)
{
        const upb_MessageDef *entry = upb_FieldDef_MessageSubDef(field);
        const upb_FieldDef *key = upb_MessageDef_FindFieldByNumber(entry, 1);
        const upb_FieldDef *value = upb_MessageDef_FindFieldByNumber(entry, 2);

        if (upb_FieldDef_IsSubMessage(value) && is_cut(t, upb_FieldDef_MessageSubDef(value))) {
                fputs("{}", t->out);
                return;
        }
        fputc('{', t->out);
        t->indent++;
        new_line(t);
        fprintf(t->out, "\"%s\": ",
                upb_FieldDef_IsString(key)                   ? ""
                : upb_FieldDef_CType(key) == kUpb_CType_Bool ? "false"
                                                             : "0");
        print_value(t, value);
        t->indent--;
        new_line(t);
        fputc('}', t->out);
}

static void print_field(struct template *t, const upb_FieldDef *field)
{
        bool is_message = upb_FieldDef_IsSubMessage(field);

        if (upb_FieldDef_IsMap(field)) {
                print_map(t, field);
        } else if (!upb_FieldDef_IsRepeated(field)) {
                print_value(t, field);
        } else if (is_message && is_cut(t, upb_FieldDef_MessageSubDef(field))) {
                fputs("[]", t->out);
        } else {
                fputc('[', t->out);
                t->indent++;
                new_line(t);
                print_value(t, field);
                t->indent--;
                new_line(t);
                fputc(']', t->out);
        }
}

/* Two fields of a oneof would be an error. */
static bool is_left_out(const upb_FieldDef *field)
{
        const upb_OneofDef *oneof = upb_FieldDef_RealContainingOneof(field);

        return oneof && upb_OneofDef_Field(oneof, 0) != field;
}

static void print_fields(struct template *t, const upb_MessageDef *message)
{
        bool is_first = true;

        for (int i = 0; i < upb_MessageDef_FieldCount(message); i++) {
                const upb_FieldDef *field = upb_MessageDef_Field(message, i);

                if (is_left_out(field))
                        continue;
                fputs(is_first ? "" : ",", t->out);
                is_first = false;
                new_line(t);
                json_write_string(t->out, upb_StringView_FromString(upb_FieldDef_JsonName(field)));
                fputs(": ", t->out);
                print_field(t, field);
        }
}

static void print_message(struct template *t, const upb_MessageDef *message)
{
        const char *short_form = well_known(message);

        if (short_form || is_cut(t, message) || upb_MessageDef_FieldCount(message) == 0) {
                fputs(short_form ? short_form : "{}", t->out);
                return;
        }
        fputc('{', t->out);
        t->inside[t->depth++] = message;
        t->indent++;
        print_fields(t, message);
        t->indent--;
        t->depth--;
        new_line(t);
        fputc('}', t->out);
}

void proto_template(FILE *out, const upb_MessageDef *message)
{
        struct template t = { .out = out };

        print_message(&t, message);
        fputc('\n', out);
}
