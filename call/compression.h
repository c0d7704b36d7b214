/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A call's messages and compression. Answers are compressed when they are sent, requests decompressed right before
 * their handler runs: on the ring, or on the worker of an offloaded call, with that thread's coders. What waits in
 * queues is in the form that travels, so a small bomb stays small until then.
 *
 * On a ring the work counts in the connection's turn: see call_group_is_worn().
 */

#include <stdbool.h>

#include "call/call.h"

struct encoding;

/*
 * Compresses a message on its way out, if the call does that and the message is of a size where it pays and none that
 * keeps a ring too long. Where it would not be shorter, or memory is short, it goes as it is.
 */
void call_compress(struct quoit_call *call, struct encoding *encoding);

/*
 * Makes what @message, which is compressed, says, in @arena. 0, and that is its data now; -EMSGSIZE: over the message's
 * limit; -EBADMSG: no such data; -ENOMEM.
 */
int call_decompress(struct quoit_call *call, struct reader_message *message, upb_Arena *arena);

/* Time of the ring's, which all connections share, went into a large message. Nothing on a worker, whose is nobody else's. */
void call_count_work(struct quoit_call *call, size_t plain_bytes);

/* The calls of a connection have compressed and decompressed enough for one turn of their ring. */
static inline bool call_group_is_worn(const struct call_group *group)
{
        return group->coded_bytes > group->host->limits->turn_bytes_max;
}
