/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The sending half of a call: a queue of framed messages that DATA frames are cut from, whatever
 * their borders, so that small messages share frames. Small messages of a stream are gathered in
 * blocks, a small one that is the only answer lies in the call's arena; both are copied into the output.
 * A large message stays in the blocks that it was encoded in, and its large strings where they were if that
 * is the call's arena; the output refers to them there.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "call/pending_copy.h"
#include "call/stall.h"
#include "transport/output.h"

struct encoding;
struct exchange;
struct segment;

struct writer {
        struct segment *first;
        struct segment *last;
        struct segment *retired; /* written, but the output refers to them until its send is over */
        size_t queued_bytes;
        struct stall stall; /* while some are */
};

/*
 * Whether a message of @size bytes may be queued: the connection is below what the ring has left, and a large one does not
 * take it above. Nobody who has asked quoit_call_writable() is refused a small one.
 */
bool writer_may_queue(const struct exchange *exchange, size_t size);

/*
 * Queues the message, and takes over its blocks if it is a large one; a small one must lie in the ring's
 * pending_copy_buffer(). 0, or -ENOMEM and nothing changed.
 */
int writer_append(struct exchange *exchange, struct encoding *encoding);

/*
 * Queues @size framed bytes, at most WRITER_PLACE_BYTES_MAX, that are in the returned place before writer_write() or
 * writer_drop(). NULL if memory is short.
 */
#define WRITER_PLACE_BYTES_MAX PENDING_COPY_BYTES_MAX
uint8_t *writer_place(struct exchange *exchange, size_t size);

/*
 * The room behind the small messages of a stream, if some wait: a message written there is queued by writer_extend() if
 * nothing else is queued or written before. 0: there is none.
 */
size_t writer_room(const struct writer *writer, uint8_t **ret_place);
void writer_extend(struct exchange *exchange, size_t size);

/* Queues @segment, which embeds what @release frees once it has been sent. */
struct segment {
        struct segment *next;
        const uint8_t *base; /* its first byte */
        const uint8_t *data; /* what is left */
        size_t size;
        bool continues; /* its bytes are a large message's, and not the first; else one begins at @base */
        void (*release)(struct exchange *exchange, struct segment *segment);
};
void writer_append_segment(struct exchange *exchange, struct segment *segment);

/* The @release of a segment that lies in the call's arena, and so do its bytes. */
void writer_release_nothing(struct exchange *exchange, struct segment *segment);

/* Moves the first @size queued bytes into @output. */
void writer_write(struct exchange *exchange, struct output *output, size_t size);

/* Frees what the output has let go of: its last pin on this call is gone. */
void writer_unpinned(struct exchange *exchange);

/*
 * Drops the messages of which nothing was written. True: that is all of them. False: one was begun, and its rest is still
 * queued: trailers ahead of it would cut it in two.
 */
bool writer_drop_unbegun(struct exchange *exchange);

/* Whether something that is queued, or on its way, lies in the call's arena. */
bool writer_needs_arena(const struct writer *writer);

/* Drops the queue. What the output refers to stays. */
void writer_drop(struct exchange *exchange);
