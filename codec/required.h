/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

#include "upb/message/message.h"
#include "upb/mini_table/message.h"

/* Whether all required fields (proto2) of @message, of type @table, and of all messages in it are set. */
bool required_are_set(const upb_Message *message, const upb_MiniTable *table);
