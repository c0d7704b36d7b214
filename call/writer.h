/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The sending half of a call: a queue of framed messages. DATA frames are cut from it without regard to the
 * borders of messages, so small messages share frames. Small messages of a stream are gathered in blocks; a
 * small message that is the only answer lies in the call's arena. Both are copied into the output. A large
 * message is not copied: the output refers to the blocks that it was encoded in, and to large strings in the
 * call's arena.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "call/counts.h"
#include "call/pending_copy.h"
#include "call/stall.h"
#include "transport/output.h"

struct encoding;
struct exchange;
struct segment;

/* What several calls keep together, to send it again. Zeroed, but for @bytes_max. */
struct replay_budget {
        size_t bytes, bytes_max;
        counter overruns; /* calls that had written more than was kept for them */
};

struct writer {
        struct segment *first;
        struct segment *last;
        struct segment *retired; /* written, but the output refers to them until its send is over */
        struct segment *kept; /* written, in order, for writer_rewind() */
        struct segment *kept_last;
        size_t kept_bytes; /* written since the beginning, while they are kept */
        struct replay_budget *budget; /* which has these bytes; NULL: nothing was ever kept */
        size_t keep_bytes_max; /* more than that is not kept; 0: nothing is */
        size_t queued_bytes;
        struct stall stall; /* while bytes are queued */
};

/*
 * Whether a message of @size bytes may be queued: the connection holds less than the ring has left, and a large message would
 * not change that. After quoit_call_writable() said true a small message is never refused.
 */
bool writer_may_queue(const struct exchange *exchange, size_t size);

/*
 * Queues the message. Takes over the blocks of a large one; a small one must lie in the ring's pending_copy_buffer(). 0, or
 * -ENOMEM and nothing changed.
 */
int writer_append(struct exchange *exchange, struct encoding *encoding);

/*
 * Queues @size framed bytes, at most WRITER_PLACE_BYTES_MAX. The caller writes them to the returned place before writer_write()
 * or writer_drop(). NULL if memory is short.
 */
#define WRITER_PLACE_BYTES_MAX PENDING_COPY_BYTES_MAX
uint8_t *writer_place(struct exchange *exchange, size_t size);

/*
 * The free bytes after the waiting small messages of a stream. A message written there is queued by writer_extend(), if
 * nothing else was queued or written meanwhile. 0: there are none.
 */
size_t writer_room(const struct writer *writer, uint8_t **ret_place);
void writer_extend(struct exchange *exchange, size_t size);

/* A part of the queue, embedded in a larger object. @release frees that when the bytes have been sent. */
struct segment {
        struct segment *next;
        const uint8_t *base; /* its first byte */
        const uint8_t *data; /* what is left */
        size_t size;
        bool continues; /* a later part of a large message; else a message begins at @base */
        void (*release)(struct exchange *exchange, struct segment *segment);
};
void writer_append_segment(struct exchange *exchange, struct segment *segment);

/* The @release of a segment that lies in the call's arena with its bytes. */
void writer_release_nothing(struct exchange *exchange, struct segment *segment);

/* Moves the first @size queued bytes into @output. */
void writer_write(struct exchange *exchange, struct output *output, size_t size);

/* No output refers to this call any more: frees the retired segments. */
void writer_unpinned(struct exchange *exchange);

/*
 * Drops the messages that were not begun. True: the queue is empty. False: a message was begun, and its rest is still queued:
 * it must be sent before the trailers.
 */
bool writer_drop_unbegun(struct exchange *exchange);

/* Whether something that is queued, or on its way, lies in the call's arena. */
bool writer_needs_arena(const struct writer *writer);

/* Drops the queue. Segments that the output refers to stay until writer_unpinned(). */
void writer_drop(struct exchange *exchange);

/*
 * For messages that may have to be sent again: what is written is kept from now on, until it is more than @bytes_max, or all in @budget is
 * more than that allows. Called before the first message.
 */
void writer_keep(struct writer *writer, size_t bytes_max, struct replay_budget *budget);

/* Whether all that was written is still there. */
static inline bool writer_can_rewind(const struct writer *writer)
{
        return writer->keep_bytes_max > 0;
}

/* Queues what was written once more, in front of what waits. No output may refer to it. Only if writer_can_rewind(). */
void writer_rewind(struct exchange *exchange);

/* It will not be sent again: frees what was kept. */
void writer_forget(struct exchange *exchange);
