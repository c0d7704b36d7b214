/* SPDX-License-Identifier: MIT */
#pragma once

#include "codec/plugin/names.h"

/*
 * C spellings of a field's type, value and place. A type ends so that a name can follow: "int32_t ", "const api_Item *".
 */
const char *types_of(const struct names *names, const upb_FieldDef *f, upb_Arena *arena);
const char *types_of_const(const struct names *names, const upb_FieldDef *f, upb_Arena *arena);

/* Its default value, as an expression. */
const char *types_default(const upb_FieldDef *f, upb_Arena *arena);

/* Its upb_MiniTableField, as an initializer. */
const char *types_field(const upb_MiniTableField *f, upb_Arena *arena);

/* The size of @expression, a key or value of @f's type, for functions of upb's maps: 0 for strings. */
const char *types_map_size(const upb_FieldDef *f, const char *expression, upb_Arena *arena);

/* The name of its mini-table. */
const char *types_message_table(
        const struct names *names, const upb_MessageDef *m, upb_Arena *arena);
const char *types_enum_table(const struct names *names, const upb_EnumDef *e, upb_Arena *arena);

/* @data as a string literal of C, cut into lines indented by @indent spaces. */
const char *types_literal(const char *data, size_t size, int indent, upb_Arena *arena);
