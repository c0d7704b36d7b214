/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdint.h>

#include "upb/mini_table/message.h"

/* A field: by its number, in the messages of a type. field_name.h has what it is called. */
struct field_place {
        const upb_MiniTable *table;
        uint32_t number;
};
