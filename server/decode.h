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

/*
 * The same of a call whose messages are bytes: in *@ret_bytes, which live as long as @message and the call's request arena
 * do. False: the handler is not to see it.
 */
bool decode_bytes(struct quoit_call *call, struct reader_message *message, size_t *ret_parsed,
        upb_StringView *ret_bytes);

/* It may take the ring long: compressed, or large. Takes NULL, which is not. */
bool decode_is_heavy(const struct reader_message *message);
