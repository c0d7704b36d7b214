/* SPDX-License-Identifier: MIT */
#include "fields.h"

#include <stdbool.h>

#define MESSAGES_MAX 256 /* that are looked at; a name that is far away is not meant */

struct reach {
        const upb_MessageDef *at[MESSAGES_MAX];
        size_t count;
};

static void add(struct reach *reach, const upb_MessageDef *type)
{
        for (size_t i = 0; i < reach->count; i++)
                if (reach->at[i] == type)
                        return;
        if (reach->count < MESSAGES_MAX)
                reach->at[reach->count++] = type;
}

/* @type, and the messages that can be in it: the nearest first. */
static void find(struct reach *reach, const upb_MessageDef *type)
{
        reach->count = 0;
        add(reach, type);
        for (size_t i = 0; i < reach->count; i++)
                for (int j = 0; j < upb_MessageDef_FieldCount(reach->at[i]); j++) {
                        const upb_FieldDef *field = upb_MessageDef_Field(reach->at[i], j);

                        if (upb_FieldDef_IsSubMessage(field))
                                add(reach, upb_FieldDef_MessageSubDef(field));
                }
}

void fields_try(struct nearest *nearest, const upb_MessageDef *type)
{
        struct reach reach;

        find(&reach, type);
        for (size_t i = 0; i < reach.count; i++)
                for (int j = 0; j < upb_MessageDef_FieldCount(reach.at[i]); j++)
                        nearest_try(nearest,
                                upb_FieldDef_JsonName(upb_MessageDef_Field(reach.at[i], j)));
}

static void try_values(struct nearest *nearest, const upb_EnumDef *type)
{
        for (int i = 0; i < upb_EnumDef_ValueCount(type); i++)
                nearest_try(nearest, upb_EnumValueDef_Name(upb_EnumDef_Value(type, i)));
}

void enumerators_try(struct nearest *nearest, const upb_MessageDef *type)
{
        struct reach reach;

        find(&reach, type);
        for (size_t i = 0; i < reach.count; i++)
                for (int j = 0; j < upb_MessageDef_FieldCount(reach.at[i]); j++) {
                        const upb_FieldDef *field = upb_MessageDef_Field(reach.at[i], j);

                        if (upb_FieldDef_EnumSubDef(field))
                                try_values(nearest, upb_FieldDef_EnumSubDef(field));
                }
}
