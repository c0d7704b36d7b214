/* SPDX-License-Identifier: MIT */
#pragma once

/* The messages that the codec is measured with. */

#include <stddef.h>

#include "upb/mem/arena.h"
#include "upb/message/message.h"
#include "upb/mini_table/message.h"

struct codec_message {
        const char *name;
        const upb_MiniTable *table;
        const upb_Message *message;
};

#define CODEC_MESSAGES 5

/* In @arena, which must outlive them. */
void codec_messages_make(upb_Arena *arena, struct codec_message ret_messages[CODEC_MESSAGES]);
