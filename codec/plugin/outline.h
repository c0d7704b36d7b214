/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>

#include "codec/plugin/memory.h"

#include "upb/reflection/def.h"

/* All messages, enums and extensions of a file; nested ones after their parents. */
struct outline {
        const upb_MessageDef **messages;
        const upb_EnumDef **enums;
        const upb_FieldDef **extensions;
        size_t n_messages;
        size_t n_enums;
        size_t n_extensions;
};

void outline_init(struct outline *o, const upb_FileDef *file, upb_Arena *arena);
