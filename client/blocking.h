/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A call that its caller waits for, on a thread of its own. What it is made of lies on that thread's stack, and goes to the client's
 * thread by mail; while that has it, its caller sleeps. The reply goes back as bytes, and is parsed by the caller.
 */

#include <quoit/client.h>

struct reader_message;

/* Of such calls. */
extern const quoit_outcall_handler blocking_handler;

/* Takes the reply's bytes, uncompressed. May make the call fail. */
void blocking_take_reply(struct quoit_outcall *call, struct reader_message *message);
