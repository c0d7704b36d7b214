/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A request message on its way to the handler: decompressed, decoded, shown to the interceptors. On the thread that runs the
 * handler.
 */

#include "call/call.h"

/*
 * Decodes @message. NULL: the handler does not get it, and the call has failed with the reason. *@ret_parsed: what decoding
 * took of the arena, for budget_settle(). A few bytes on the wire can become many thousand times as much.
 */
const struct upb_Message *decode_request(
        struct quoit_call *call, struct reader_message *message, size_t *ret_parsed);

/*
 * The same for a call whose messages are bytes. *@ret_bytes live as long as @message and the call's request arena. False:
 * the handler does not get them.
 */
bool decode_bytes(struct quoit_call *call, struct reader_message *message, size_t *ret_parsed,
        upb_StringView *ret_bytes);
