/* SPDX-License-Identifier: MIT */
#include "client/message_queue.h"

#include <stdlib.h>
#include <string.h>

#include "codec/framing.h"

#define CAPACITY_MIN ((size_t)4096)

void message_queue_deinit(struct message_queue *queue)
{
        free(queue->data);
        *queue = (struct message_queue){ 0 };
}

/* At least twice as much as before, so that each byte is copied a few times only. */
static bool grow(struct message_queue *queue, size_t size)
{
        size_t bytes = message_queue_bytes(queue);
        size_t capacity = queue->capacity > 0 ? queue->capacity : CAPACITY_MIN;
        uint8_t *data;

        while (capacity - bytes < size) {
                if (capacity > SIZE_MAX / 2)
                        return false;
                capacity *= 2;
        }
        data = malloc(capacity);
        if (!data)
                return false;
        if (bytes > 0)
                memcpy(data, queue->data + queue->begin, bytes);
        free(queue->data);
        *queue = (struct message_queue){ .data = data, .end = bytes, .capacity = capacity };
        return true;
}

uint8_t *message_queue_append(struct message_queue *queue, size_t size)
{
        if (queue->begin == queue->end)
                queue->begin = queue->end = 0;
        if (queue->capacity - queue->end < size && !grow(queue, size))
                return NULL;
        queue->end += size;
        return queue->data + queue->end - size;
}

bool message_queue_take(struct message_queue *queue, const uint8_t **ret_data, size_t *ret_size)
{
        const uint8_t *prefix;

        if (queue->begin == queue->end)
                return false; /* there may be no memory either */
        prefix = queue->data + queue->begin;
        *ret_data = prefix + FRAMING_PREFIX_BYTES;
        *ret_size = framing_read_size(prefix);
        queue->begin += FRAMING_PREFIX_BYTES + *ret_size;
        return true;
}

void message_queue_clear(struct message_queue *queue)
{
        queue->begin = queue->end = 0;
        if (queue->capacity > MESSAGE_QUEUE_KEPT_BYTES)
                message_queue_deinit(queue);
}
