/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Messages as bytes, one behind the other with the prefix that gRPC has on the wire, in one piece of memory that is kept for those that
 * follow. Two threads hand messages on in lots: one fills a queue, under a lock, and the other one swaps it for an empty one of its own.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Memory beyond this is not kept when all messages have been taken. */
#define MESSAGE_QUEUE_KEPT_BYTES ((size_t)256 << 10)

/* Zeroed memory is a valid object. */
struct message_queue {
        uint8_t *data;
        size_t begin; /* of the first message */
        size_t end; /* of the last one */
        size_t capacity;
};

void message_queue_deinit(struct message_queue *queue);

static inline size_t message_queue_bytes(const struct message_queue *queue)
{
        return queue->end - queue->begin;
}

/* Room for @size bytes at its end: a message with its prefix, which the caller writes. NULL: memory is short, and nothing changed. */
uint8_t *message_queue_append(struct message_queue *queue, size_t size);

/*
 * Takes the first message, without its prefix. False: there is none. The bytes stay until the next message_queue_append() or
 * message_queue_clear().
 */
bool message_queue_take(struct message_queue *queue, const uint8_t **ret_data, size_t *ret_size);

/* Drops all of them. */
void message_queue_clear(struct message_queue *queue);

static inline void message_queue_swap(struct message_queue *a, struct message_queue *b)
{
        struct message_queue old = *a;

        *a = *b;
        *b = old;
}
