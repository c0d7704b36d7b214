/* SPDX-License-Identifier: MIT */
#include "codec/bad_text.h"

#include "codec/message.h"
#include "codec/utf8.h"
#include "codec/wire.h"
#include "upb/mini_table/extension.h"
#include "upb/mini_table/field.h"

struct search {
        const upb_ExtensionRegistry *extensions; /* NULL: none are known */
        struct field_place found;
};

/* What a walk came to. */
enum walk {
        WALK_END, /* of the bytes, or of the group */
        WALK_FOUND,
        WALK_LOST, /* these bytes are no message */
};

static enum walk walk(struct search *search, struct wire_cursor *cursor, const upb_MiniTable *table,
        int depth, uint32_t group);

static const upb_MiniTableField *find_field(
        const struct search *search, const upb_MiniTable *table, uint32_t number)
{
        const upb_MiniTableField *field =
                table ? upb_MiniTable_FindFieldByNumber(table, number) : NULL;
        const upb_MiniTableExtension *extension = NULL;

        if (field || !table)
                return field;
        if (search->extensions)
                extension = upb_ExtensionRegistry_Lookup(search->extensions, table, number);
        return extension ? upb_MiniTableExtension_ToField(extension) : NULL;
}

/* NULL: it is no message, or one that nobody knows. */
static const upb_MiniTable *message_of(const upb_MiniTableField *field)
{
        if (!field || upb_MiniTableField_CType(field) != kUpb_CType_Message)
                return NULL;
        return upb_MiniTable_GetSubMessageTable(field);
}

static enum walk walk_bytes(struct search *search, const struct wire_field *at,
        const upb_MiniTable *table, const upb_MiniTableField *field, int depth)
{
        const upb_MiniTable *sub = message_of(field);
        struct wire_cursor bytes = at->bytes;

        if (sub)
                return walk(search, &bytes, sub, depth - 1, 0);
        if (!field || upb_MiniTableField_Type(field) != kUpb_FieldType_String ||
                utf8_is_valid((const char *)bytes.at, (size_t)(bytes.end - bytes.at)))
                return WALK_END;
        search->found = (struct field_place){ table, at->number };
        return WALK_FOUND;
}

/* @table: NULL in a group that nobody knows, which is passed over. @group: the number whose end is this one's; 0: none. */
static enum walk walk(struct search *search, struct wire_cursor *cursor, const upb_MiniTable *table,
        int depth, uint32_t group)
{
        struct wire_field at;
        enum walk r = WALK_END;

        if (depth < 0)
                return WALK_LOST;
        while (r == WALK_END && cursor->at < cursor->end) {
                const upb_MiniTableField *field;

                if (!wire_next(cursor, &at))
                        return WALK_LOST;
                field = find_field(search, table, at.number);
                if (at.type == kUpb_WireType_EndGroup)
                        return at.number == group ? WALK_END : WALK_LOST;
                if (at.type == kUpb_WireType_Delimited)
                        r = walk_bytes(search, &at, table, field, depth);
                else if (at.type == kUpb_WireType_StartGroup)
                        r = walk(search, cursor, message_of(field), depth - 1, at.number);
        }
        return r;
}

bool bad_text_find(const uint8_t *data, size_t size, const upb_MiniTable *table,
        const upb_ExtensionRegistry *extensions, struct field_place *ret_where)
{
        struct search search = { .extensions = extensions };
        struct wire_cursor cursor = { data, data + size };

        if (walk(&search, &cursor, table, MESSAGE_DEPTH_MAX, 0) != WALK_FOUND)
                return false;
        *ret_where = search.found;
        return true;
}
