/* SPDX-License-Identifier: MIT */
#include "fields.h"

#include <stdio.h>
#include <string.h>

#include "../proto/scalar.h"
#include "json_cursor.h"

static const upb_FieldDef *find(const upb_MessageDef *type, const char *name)
{
        const upb_FieldDef *field = upb_MessageDef_FindByJsonNameWithSize(type, name, strlen(name));

        return field ? field : upb_MessageDef_FindFieldByName(type, name);
}

/* Of the values of a map. */
static const upb_FieldDef *value_of(const upb_FieldDef *map)
{
        return upb_MessageDef_FindFieldByNumber(upb_FieldDef_MessageSubDef(map), 2);
}

/* The message that the cursor's keys lead to. NULL: they lead nowhere. */
static const upb_MessageDef *follow(const upb_MessageDef *type, const struct json_cursor *cursor)
{
        for (unsigned i = 0; type && i < cursor->depth; i++) {
                const upb_FieldDef *field = find(type, cursor->keys[i]);

                if (!field)
                        return NULL;
                /* The next key is one of the map's own; without one, the cursor is among these. */
                if (upb_FieldDef_IsMap(field)) {
                        if (++i == cursor->depth)
                                return NULL;
                        field = value_of(field);
                }
                type = upb_FieldDef_MessageSubDef(field);
        }
        return type;
}

static const char *opening_of(const upb_FieldDef *field)
{
        if (upb_FieldDef_IsMap(field))
                return "{";
        if (upb_FieldDef_IsRepeated(field))
                return "[";
        switch (upb_FieldDef_CType(field)) {
        case kUpb_CType_Message:
                /* Those that JSON spells in its own way may be anything. */
                return upb_MessageDef_WellKnownType(upb_FieldDef_MessageSubDef(field)) ==
                                       kUpb_WellKnown_Unspecified
                               ? "{"
                               : "";
        case kUpb_CType_String:
        case kUpb_CType_Bytes:
        case kUpb_CType_Enum:
                return "\"";
        default:
                return "";
        }
}

/* "string", "pkg.Message", "repeated int32" */
static const char *about(const upb_FieldDef *field, char *text, size_t size)
{
        const char *name = NULL;

        if (upb_FieldDef_IsMap(field))
                return "map";
        if (upb_FieldDef_CType(field) == kUpb_CType_Message)
                name = upb_MessageDef_FullName(upb_FieldDef_MessageSubDef(field));
        else if (upb_FieldDef_CType(field) == kUpb_CType_Enum)
                name = upb_EnumDef_FullName(upb_FieldDef_EnumSubDef(field));
        else
                name = scalar_name(upb_FieldDef_Type(field));
        snprintf(text, size, "%s%s", upb_FieldDef_IsRepeated(field) ? "repeated " : "", name);
        return text;
}

static void offer_keys(struct offers *offers, const upb_MessageDef *type, size_t begin)
{
        char value[OFFER_BYTES], text[256];

        for (int i = 0; i < upb_MessageDef_FieldCount(type); i++) {
                const upb_FieldDef *field = upb_MessageDef_Field(type, i);

                snprintf(value, sizeof(value), "%.*s\"%s\":%s", (int)begin, offers->word,
                        upb_FieldDef_JsonName(field), opening_of(field));
                offer(offers, value, about(field, text, sizeof(text)));
        }
}

static void offer_value(struct offers *offers, size_t begin, const char *quote, const char *text)
{
        char value[OFFER_BYTES];

        snprintf(value, sizeof(value), "%.*s%s%s%s", (int)begin, offers->word, quote, text, quote);
        offer(offers, value, NULL);
}

static void offer_values(struct offers *offers, const upb_FieldDef *field, size_t begin)
{
        const upb_EnumDef *enumeration = upb_FieldDef_EnumSubDef(field);

        for (int i = 0; enumeration && i < upb_EnumDef_ValueCount(enumeration); i++)
                offer_value(offers, begin, "\"",
                        upb_EnumValueDef_Name(upb_EnumDef_Value(enumeration, i)));
        if (upb_FieldDef_CType(field) == kUpb_CType_Bool) {
                offer_value(offers, begin, "", "true");
                offer_value(offers, begin, "", "false");
        }
}

void fields_offer(struct offers *offers, const upb_MessageDef *type)
{
        const upb_FieldDef *field;
        struct json_cursor cursor;

        if (strlen(offers->word) > OFFER_BYTES / 2)
                return;
        json_cursor_find(&cursor, offers->word);
        type = follow(type, &cursor);
        if (!type || cursor.place == JSON_ELSEWHERE)
                return;
        if (cursor.place == JSON_KEY) {
                offer_keys(offers, type, cursor.begin);
        } else if (cursor.key[0]) {
                field = find(type, cursor.key);
                if (field && !upb_FieldDef_IsMap(field))
                        offer_values(offers, field, cursor.begin);
        } else if (cursor.depth == 0) {
                offer_value(offers, cursor.begin, "", "{");
        }
}
