/* SPDX-License-Identifier: MIT */
#pragma once

/* A request message on its way to the handler, on the thread that runs it: decompressed, decoded, shown to the interceptors. */

#include "call/call.h"

/*
 * The message that @message holds. NULL: the handler is not to see it; what is wrong with it the call has failed with.
 * *@ret_parsed is what the arena it is in has taken for it, for budget_settle(): a few bytes on the wire may become many
 * thousand times as much.
 */
const struct upb_Message *decode_request(
        struct quoit_call *call, struct reader_message *message, size_t *ret_parsed);

/* It may take the ring long: compressed, or large. Takes NULL, which is not. */
bool decode_is_heavy(const struct reader_message *message);
