/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "codec/plugin/check_parts.h"

/*
 * A map `map<K, V> things = 1;` is a list of messages of a type that protoc makes, nested in the same message as the field:
 *
 *      message ThingsEntry { option map_entry = true; K key = 1; V value = 2; }
 *
 * A message with that option must have exactly this form: upb reads the two fields without checking.
 */

#define FIELD(f, member) google_protobuf_FieldDescriptorProto_##member(f)
#define TYPE(name) google_protobuf_FieldDescriptorProto_TYPE_##name
#define LABEL(name) google_protobuf_FieldDescriptorProto_LABEL_##name

bool check_is_entry(const message_proto *message)
{
        const google_protobuf_MessageOptions *options =
                google_protobuf_DescriptorProto_options(message);

        return options && google_protobuf_MessageOptions_map_entry(options);
}

bool check_is_set(const message_proto *message)
{
        const google_protobuf_MessageOptions *options =
                google_protobuf_DescriptorProto_options(message);

        return options && google_protobuf_MessageOptions_message_set_wire_format(options);
}

static bool maps_key_is_allowed(int32_t type)
{
        switch (type) {
        case TYPE(DOUBLE):
        case TYPE(FLOAT):
        case TYPE(GROUP):
        case TYPE(MESSAGE):
        case TYPE(BYTES):
        case TYPE(ENUM):
                return false;
        default:
                return true;
        }
}

static bool maps_check_part(struct check *check, const char *where, const field_proto *field,
        const char *name, int32_t number)
{
        if (!upb_StringView_IsEqual(FIELD(field, name), upb_StringView_FromString(name)) ||
                FIELD(field, number) != number || FIELD(field, label) != LABEL(OPTIONAL) ||
                FIELD(field, has_oneof_index) || FIELD(field, has_default_value) ||
                FIELD(field, proto3_optional) || FIELD(field, type) == TYPE(GROUP))
                return check_fail(check, where,
                        "a map's entry has to have the plain field `%s = %d`", name, number);
        return true;
}

/* A missing key or value of an entry counts as zero. */
static bool maps_check_value(struct check *check, const char *where, const field_proto *value)
{
        const struct symbol *type;
        const google_protobuf_EnumValueDescriptorProto *const *values;
        size_t n;

        if (FIELD(value, type) != TYPE(ENUM))
                return true;
        type = check_resolve(check, where, "value's type", FIELD(value, type_name));
        values = google_protobuf_EnumDescriptorProto_value(type->enumeration, &n);
        if (!n || google_protobuf_EnumValueDescriptorProto_number(values[0]))
                return check_fail(check, where,
                        "the first value of an enum that a map has for values must be 0");
        return true;
}

static bool maps_has_more(const message_proto *entry)
{
        size_t n[7];

        google_protobuf_DescriptorProto_extension(entry, &n[0]);
        google_protobuf_DescriptorProto_nested_type(entry, &n[1]);
        google_protobuf_DescriptorProto_enum_type(entry, &n[2]);
        google_protobuf_DescriptorProto_extension_range(entry, &n[3]);
        google_protobuf_DescriptorProto_oneof_decl(entry, &n[4]);
        google_protobuf_DescriptorProto_reserved_range(entry, &n[5]);
        google_protobuf_DescriptorProto_reserved_name(entry, &n[6]);
        return n[0] + n[1] + n[2] + n[3] + n[4] + n[5] + n[6] || check_is_set(entry);
}

bool check_entry(struct check *check, const char *where, const message_proto *entry,
        const message_proto *outer)
{
        const struct symbol *symbol =
                check_lookup(&check->symbols, upb_StringView_FromString(where));
        size_t n;
        const field_proto *const *fields = google_protobuf_DescriptorProto_field(entry, &n);

        if (!outer || !symbol->has_field)
                return check_fail(check, where,
                        "a map's entry must be nested in the message of the one field that "
                        "uses it: write `map<K, V>`, not map_entry");
        if (n != 2 || maps_has_more(entry))
                return check_fail(
                        check, where, "a map's entry has a key and a value, nothing else");
        if (!maps_check_part(check, where, fields[0], "key", 1) ||
                !maps_check_part(check, where, fields[1], "value", 2))
                return false;
        if (!maps_key_is_allowed(FIELD(fields[0], type)))
                return check_fail(check, where, "a map's key is an integer, a bool or a string");
        return maps_check_value(check, where, fields[1]);
}

/* `some_things` has SomeThingsEntry. */
static bool maps_name_fits(upb_StringView entry, upb_StringView field)
{
        static const char suffix[] = "Entry";
        size_t n = 0;

        for (size_t i = 0; i < field.size; i++) {
                bool begins = i == 0 || field.data[i - 1] == '_';
                char c = field.data[i];

                if (c == '_')
                        continue;
                if (begins && c >= 'a' && c <= 'z')
                        c = (char)(c - 'a' + 'A');
                if (n == entry.size || entry.data[n++] != c)
                        return false;
        }
        return entry.size - n == strlen(suffix) && !memcmp(entry.data + n, suffix, strlen(suffix));
}

bool check_map(struct check *check, const char *where, const field_proto *field,
        const message_proto *message, struct symbol *entry)
{
        if (FIELD(field, label) != LABEL(REPEATED) || FIELD(field, type) != TYPE(MESSAGE) ||
                FIELD(field, has_oneof_index))
                return check_fail(check, where, "a field of a map's entry must be repeated");
        if (entry->outer != message || entry->has_field ||
                !maps_name_fits(
                        google_protobuf_DescriptorProto_name(entry->message), FIELD(field, name)))
                return check_fail(check, where, "its type is the entry of another field's map");
        entry->has_field = true;
        return true;
}
