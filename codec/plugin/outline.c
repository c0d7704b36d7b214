/* SPDX-License-Identifier: MIT */
#include "codec/plugin/outline.h"

/* Counts, and fills the arrays if there are any: run once without, once with them. */
static void outline_add_enum(struct outline *o, const upb_EnumDef *e)
{
        if (o->enums)
                o->enums[o->n_enums] = e;
        o->n_enums++;
}

static void outline_add_extension(struct outline *o, const upb_FieldDef *ext)
{
        if (o->extensions)
                o->extensions[o->n_extensions] = ext;
        o->n_extensions++;
}

static void outline_add_message(struct outline *o, const upb_MessageDef *m)
{
        if (o->messages)
                o->messages[o->n_messages] = m;
        o->n_messages++;

        for (int i = 0; i < upb_MessageDef_NestedEnumCount(m); i++)
                outline_add_enum(o, upb_MessageDef_NestedEnum(m, i));
        for (int i = 0; i < upb_MessageDef_NestedExtensionCount(m); i++)
                outline_add_extension(o, upb_MessageDef_NestedExtension(m, i));
        for (int i = 0; i < upb_MessageDef_NestedMessageCount(m); i++)
                outline_add_message(o, upb_MessageDef_NestedMessage(m, i));
}

static void outline_add_file(struct outline *o, const upb_FileDef *file)
{
        o->n_messages = o->n_enums = o->n_extensions = 0;

        for (int i = 0; i < upb_FileDef_TopLevelEnumCount(file); i++)
                outline_add_enum(o, upb_FileDef_TopLevelEnum(file, i));
        for (int i = 0; i < upb_FileDef_TopLevelExtensionCount(file); i++)
                outline_add_extension(o, upb_FileDef_TopLevelExtension(file, i));
        for (int i = 0; i < upb_FileDef_TopLevelMessageCount(file); i++)
                outline_add_message(o, upb_FileDef_TopLevelMessage(file, i));
}

void outline_init(struct outline *o, const upb_FileDef *file, upb_Arena *arena)
{
        *o = (struct outline){};
        outline_add_file(o, file);
        o->messages = memory_alloc(arena, (o->n_messages + 1) * sizeof(*o->messages));
        o->enums = memory_alloc(arena, (o->n_enums + 1) * sizeof(*o->enums));
        o->extensions = memory_alloc(arena, (o->n_extensions + 1) * sizeof(*o->extensions));
        outline_add_file(o, file);
}
