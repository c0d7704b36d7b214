/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

#include "codec/field_place.h"
#include "upb/message/message.h"
#include "upb/mini_table/message.h"

/* Whether a required field (proto2) of @message, of type @table, or of a message in it is not set. *@ret_where: the first. */
bool required_find_missing(
        const upb_Message *message, const upb_MiniTable *table, struct field_place *ret_where);

/* The same in @message alone, not in what it holds: the field's number; 0: all are set. */
uint32_t required_missing_number(const upb_Message *message, const upb_MiniTable *table);
