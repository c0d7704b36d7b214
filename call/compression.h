/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A call's messages and compression. Answers are compressed when they are sent, requests decompressed right before
 * their handler runs: on the ring, or on the worker of an offloaded call, with that thread's coders. What waits in
 * queues is in the form that travels, so a small bomb stays small until then. On a ring compressing counts as work
 * (call/work.h); decompressing does with what follows it, for its caller.
 */

#include <stdbool.h>

#include "call/call.h"

struct encoding;

/*
 * Compresses a message on its way out, if the call does that and the message is of a size where it pays and none that
 * keeps a ring too long. Where it would not be shorter, or memory is short, it goes as it is.
 */
void call_compress(struct quoit_call *call, struct encoding *encoding);

/* As exchange_decompress(). */
int call_decompress(struct quoit_call *call, struct reader_message *message, upb_Arena *arena);
