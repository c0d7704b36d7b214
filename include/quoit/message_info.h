/* SPDX-License-Identifier: MIT */
#pragma once

/* What interceptors see of a message, of servers (interceptor.h) and of clients (client_interceptor.h). */

#include <stddef.h>

#include <quoit/export.h>
#include <quoit/upb_names.h>

#include "upb/base/string_view.h"

QUOIT_BEGIN_DECLS

struct upb_Message;
struct upb_MiniTable;

/* A message on its way. It and what it points to live until the interceptor's function returns. */
typedef struct quoit_message_info {
        /* Decoded; not to be changed. NULL where the program has it as bytes: a generic handler, a thread that waits for its client's call. */
        const struct upb_Message *message;
        const struct upb_MiniTable *type; /* its type; NULL likewise */
        /* Encoded and not compressed, in bytes; 0 for a message that a server will send: it is not encoded yet. */
        size_t size;
        upb_StringView bytes; /* the message, where @message is NULL */
} quoit_message_info;

QUOIT_END_DECLS
