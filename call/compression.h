/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A call's messages and compression. Answers are compressed when they are sent, requests decompressed right before
 * their handler runs: on the ring, or on the worker of an offloaded call, with that thread's coders. Messages wait in
 * queues as they travel, so a small bomb stays small until then. On a ring compressing counts as work (call/work.h);
 * the caller counts decompressing together with the parsing that follows.
 */

#include <stdbool.h>

#include "call/call.h"

struct coders;
struct encoding;

/* Of the thread that has the call. */
struct coders *call_coders(struct quoit_call *call);

/*
 * Compresses a message to be sent, if the call compresses, and the message is neither too small to profit nor so large that
 * it keeps a ring too long. If it would not become shorter, or memory is short, it is sent as it is.
 */
void call_compress(struct quoit_call *call, struct encoding *encoding);

/* As exchange_decompress(). */
int call_decompress(struct quoit_call *call, struct reader_message *message, upb_Arena *arena);
