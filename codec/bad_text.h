/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/field_place.h"
#include "upb/mini_table/extension_registry.h"
#include "upb/mini_table/message.h"

/*
 * Which text in the bytes of a message of the type @table is the first that is not UTF-8, though its .proto file wants that. It
 * walks through all of it once more: for when the decoder has said that there is one. False: there is none, or what is in front of it is
 * not such a message, or it is where this does not look (in a MessageSet).
 */
bool bad_text_find(const uint8_t *data, size_t size, const upb_MiniTable *table,
        const upb_ExtensionRegistry *extensions, struct field_place *ret_where);
